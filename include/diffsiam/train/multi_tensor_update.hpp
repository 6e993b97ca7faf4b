// MultiTensorUpdate: updates all weights of an optimizer, and their averages, in one launch. Values that
// change from step to step are sent to the device before, so that the launch can be recorded.
#pragma once

#include <array>
#include <cstring>
#include <functional>
#include <memory>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include <diffsiam/concepts/recording.hpp>
#include <diffsiam/functional/updates.hpp>
#include <diffsiam/train/ema.hpp>
#include <diffsiam/train/gradient_descent.hpp>
#include <diffsiam/train/optimizer_group.hpp>

namespace diffsiam::train {

namespace detail {

/// A value in memory of the device that the host sends again and again. It uses two buffers in turn, so that
/// the host need not wait.
template <backend::Recordable B, class Value>
class SentValue {
 public:
  static_assert(std::is_trivially_copyable_v<Value>);
  explicit SentValue(typename B::Context& context)
      : memory_(context.allocate(sizeof(Value))),
        slots_{typename B::PinnedBuffer{context, sizeof(Value)},
               typename B::PinnedBuffer{context, sizeof(Value)}} {}
  void send(Value const& value) {
    auto& slot = slots_[turn_ ^= 1U];
    std::memcpy(slot.wait(), &value, sizeof(Value));
    slot.send(memory_.get());
  }
  /// The value on the device.
  [[nodiscard]] Value* data() const { return static_cast<Value*>(memory_.get()); }

 private:
  std::shared_ptr<void> memory_;
  std::array<typename B::PinnedBuffer, 2> slots_;
  unsigned turn_ = 0;
};

/// Tensors, N of one shape at a time, that are divided into chunks. The device has the list of chunks.
template <backend::Recordable B, std::size_t N>
class ChunkList {
 public:
  using T = typename B::Scalar;
  using Chunk = TensorChunk<T, N>;

  void add(std::array<Tensor<B>, N> const& tensors) {
    tensors_.insert(tensors_.end(), tensors.begin(), tensors.end());
    for (Index from = 0; from < tensors[0].size(); from += Chunk::most) {
      Chunk chunk{{}, std::min(Chunk::most, tensors[0].size() - from)};
      for (std::size_t i = 0; i < N; ++i) chunk.data[i] = tensors[i].data() + from;
      chunks_.push_back(chunk);
    }
  }
  /// Call it after the last add.
  void send(typename B::Context& context) {
    std::size_t const bytes = chunks_.size() * sizeof(Chunk);
    if (bytes == 0) return;
    memory_ = context.allocate(bytes);
    typename B::PinnedBuffer slot{context, bytes};
    std::memcpy(slot.wait(), chunks_.data(), bytes);
    slot.send(memory_.get());
    (void)slot.wait();
  }
  template <class F>
  void apply(typename B::Context& context, F const* f, GradientScale<T> const* scale) const {
    B::multi_tensor_apply(context, static_cast<Chunk const*>(memory_.get()),
                          static_cast<Index>(chunks_.size()), f, scale);
  }

 private:
  std::vector<Tensor<B>> tensors_;  ///< keeps the memory alive; the device has only addresses
  std::vector<Chunk> chunks_;
  std::shared_ptr<void> memory_;
};

}  // namespace detail

/// The update of Adam, AdamW or Sgd, or of Scheduled and OptimizerGroup of them, with one launch for each
/// optimizer. It borrows the optimizer and the averages. The caller counts their steps.
template <backend::Recordable B>
class MultiTensorUpdate {
 public:
  using T = typename B::Scalar;

  /// Make it when all gradients exist. Begins an update of the averages; `ema` is null if there are none.
  template <class O>
  MultiTensorUpdate(O& optimizer, Ema<B>* ema) : ema_(ema) {
    if (ema != nullptr) ema->begin_update();
    add(optimizer, [](double factor) { return factor; });
  }

  /// Sends the coefficients of the next step, with `factor` times the learning rate.
  void send(double factor) const {
    for (Part const& part : parts_) part.send(factor);
  }
  /// Queues the update, which first scales the gradients. If they are not finite, it only sets them to zero.
  void apply(GradientScale<T> const* scale) const {
    for (Part const& part : parts_) part.apply(scale);
  }

 private:
  /// Maps the factor of the step to the factor of one optimizer.
  using Factor = std::function<double(double)>;
  /// The functions of one GradientDescent.
  struct Part {
    std::function<void(double)> send;
    std::function<void(GradientScale<T> const*)> apply;
  };
  /// The weights of one optimizer, and the coefficients of its update.
  template <class Update, std::size_t States>
  struct Lists {
    explicit Lists(typename B::Context& context) : coefficients(context) {}
    detail::SentValue<B, functional::UpdateIfFinite<functional::UpdateAndAverage<T, Update>>> coefficients;
    detail::ChunkList<B, States + 3> averaged;
    detail::ChunkList<B, States + 2> alone;
  };

  template <class Rule>
  void add(GradientDescent<B, Rule>& optimizer, Factor const& factor) {
    auto const visit = [&optimizer, factor](double at, auto const& f) {
      Rule::template visit<T>(optimizer.config(), factor(at) * optimizer.learning_rate(),
                              optimizer.steps() + 1, f);
    };
    visit(1, [&]<class Update>(Update const&) {
      constexpr std::size_t states = detail::states_taken<Update, T, Rule::state_names.size()>;
      auto const& list = optimizer.parameters().parameters;
      auto& context = list.front().parameter.value().context();
      auto const lists = std::make_shared<Lists<Update, states>>(context);
      for (std::size_t i = 0; i < list.size(); ++i)
        if (list[i].parameter.trainable())
          add_weight(*lists, list[i].parameter, optimizer.states_of(i), std::make_index_sequence<states>{});
      lists->averaged.send(context);
      lists->alone.send(context);
      auto const send = [visit, lists, ema = ema_](double at) {
        visit(at, [&]<class Now>(Now const& update) {
          if constexpr (std::is_same_v<Now, Update>)  // the configuration always selects the same functor
            lists->coefficients.send(
                {{update, ema != nullptr ? ema->average_update() : functional::AverageUpdate<T>{T(0)}}});
        });
      };
      auto const apply = [&context, lists](GradientScale<T> const* scale) {
        auto const* const both = lists->coefficients.data();
        lists->averaged.apply(context, both, scale);
        lists->alone.apply(context,
                           reinterpret_cast<functional::UpdateIfFinite<Update> const*>(&both->update.update),
                           scale);
      };
      parts_.push_back({send, apply});
    });
  }
  template <class O, class S>
  void add(Scheduled<O, S>& scheduled, Factor const& factor) {
    add(scheduled.optimizer(),
        [&scheduled, factor](double at) { return factor(at) * scheduled.schedule()(scheduled.steps()); });
  }
  template <class... O>
  void add(OptimizerGroup<O...>& group, Factor const& factor) {
    std::apply([&](auto*... optimizer) { (add(*optimizer, factor), ...); }, group.optimizers());
  }
  template <class Lists, class States, std::size_t... I>
  void add_weight(Lists& lists, Parameter<B> const& parameter, States const& states,
                  std::index_sequence<I...>) {
    if (Tensor<B> const* const average = ema_ != nullptr ? ema_->fused_average(parameter) : nullptr)
      lists.averaged.add({parameter.value(), parameter.gradient(), *average, states[I]...});
    else
      lists.alone.add({parameter.value(), parameter.gradient(), states[I]...});
  }

  Ema<B>* ema_;
  std::vector<Part> parts_;
};

}  // namespace diffsiam::train
