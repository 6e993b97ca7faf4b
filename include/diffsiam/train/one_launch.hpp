// OneLaunch: a step of an optimizer, with the averages that move along, in one launch over all its weights.
// What changes from step to step is sent to the device beforehand, so that the launch may be recorded.
#pragma once

#include <array>
#include <cstring>
#include <memory>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include <diffsiam/concepts/recording.hpp>
#include <diffsiam/functional/updates.hpp>
#include <diffsiam/train/ema.hpp>
#include <diffsiam/train/gradient_descent.hpp>
#include <diffsiam/train/together.hpp>

namespace diffsiam::train {

namespace detail {

/// Values of the host in memory of the device, the same for good.
template <backend::Recordable B, class Item>
[[nodiscard]] std::shared_ptr<void> sent(typename B::Context& context, std::vector<Item> const& items) {
  std::size_t const bytes = items.size() * sizeof(Item);
  if (bytes == 0) return nullptr;
  std::shared_ptr<void> memory = context.allocate(bytes);
  typename B::HostSlot slot{context, bytes};
  std::memcpy(slot.wait(), items.data(), bytes);
  slot.send(memory.get());
  (void)slot.wait();
  return memory;
}

/// One value that the host sends again and again; two places by turns, so that it need not wait.
template <backend::Recordable B, class Value>
class Sent {
 public:
  static_assert(std::is_trivially_copyable_v<Value>);
  explicit Sent(typename B::Context& context)
      : memory_(context.allocate(sizeof(Value))),
        slots_{typename B::HostSlot{context, sizeof(Value)}, typename B::HostSlot{context, sizeof(Value)}} {}
  void send(Value const& value) {
    auto& slot = slots_[turn_ ^= 1U];
    std::memcpy(slot.wait(), &value, sizeof(Value));
    slot.send(memory_.get());
  }
  /// On the device.
  [[nodiscard]] Value* data() const { return static_cast<Value*>(memory_.get()); }

 private:
  std::shared_ptr<void> memory_;
  std::array<typename B::HostSlot, 2> slots_;
  unsigned turn_ = 0;
};

/// A list of tensors, cut into segments, where the device finds it.
template <backend::Recordable B, std::size_t N>
class SegmentList {
 public:
  using T = typename B::Scalar;

  void add(std::array<Tensor<B>, N> const& tensors) {
    tensors_.insert(tensors_.end(), tensors.begin(), tensors.end());
    for (Index from = 0; from < tensors[0].size(); from += Segment<T, N>::most) {
      Segment<T, N> segment{{}, std::min(Segment<T, N>::most, tensors[0].size() - from)};
      for (std::size_t i = 0; i < N; ++i) segment.data[i] = tensors[i].data() + from;
      segments_.push_back(segment);
    }
  }
  /// After the last one.
  void send(typename B::Context& context) { memory_ = sent<B>(context, segments_); }
  template <class F>
  void visit(typename B::Context& context, F const* f, Verdict<T> const* verdict) const {
    B::for_each_in_segments(context, static_cast<Segment<T, N> const*>(memory_.get()),
                            static_cast<Index>(segments_.size()), f, verdict);
  }

 private:
  std::vector<Tensor<B>> tensors_;  ///< kept, for the device knows only where they lie
  std::vector<Segment<T, N>> segments_;
  std::shared_ptr<void> memory_;
};

}  // namespace detail

/// Of a GradientDescent, which is borrowed, as the averages are. Made when all gradients exist.
template <class B, class Rule>
class OneLaunch {
 public:
  using T = typename B::Scalar;

  /// Between ema->begin_update() and its end; null: no averages.
  OneLaunch(GradientDescent<B, Rule>& optimizer, Ema<B>* ema) : optimizer_(&optimizer), ema_(ema) {
    auto const& list = optimizer.parameters().parameters;
    visit(1, [&]<class Update>(Update const&) {
      constexpr std::size_t count = states_of<Update>;
      auto lists = std::make_shared<Lists<Update>>(context());
      for (std::size_t i = 0; i < list.size(); ++i) {
        auto const& parameter = list[i].parameter;
        if (!parameter.trainable()) continue;
        auto const& states = optimizer.states_of(i);
        [&]<std::size_t... I>(std::index_sequence<I...>) {
          if (Tensor<B> const* const average = ema != nullptr ? ema->claim(parameter) : nullptr)
            lists->averaged.add({parameter.value(), parameter.gradient(), *average, states[I]...});
          else
            lists->alone.add({parameter.value(), parameter.gradient(), states[I]...});
        }(std::make_index_sequence<count>{});
      }
      lists->averaged.send(context());
      lists->alone.send(context());
      lists_ = std::move(lists);
    });
  }

  /// The coefficients of the coming step, at `factor` times the learning rate.
  void send(double factor) {
    visit(factor, [&]<class Update>(Update const& update) {
      auto const pull = ema_ != nullptr ? ema_->pull() : functional::AverageUpdate<T>{T(0)};
      lists<Update>().coefficients.send({{update, pull}});
    });
  }
  /// Moves the weights, or only forgets their gradients, as the verdict says.
  void launch(Verdict<T> const* verdict) const {
    visit(1, [&]<class Update>(Update const&) {
      auto const* const both = lists<Update>().coefficients.data();
      lists<Update>().averaged.visit(context(), both, verdict);
      lists<Update>().alone.visit(
          context(), reinterpret_cast<functional::JudgedUpdate<Update> const*>(&both->update.update),
          verdict);
    });
  }
  /// One more step was taken, or one less.
  void count(int more) { optimizer_->set_steps(optimizer_->steps() + static_cast<std::uint64_t>(more)); }

 private:
  template <class Update>
  static constexpr std::size_t states_of = detail::states_taken<Update, T, Rule::state_names.size()>;
  /// What a rule with its configuration needs.
  template <class Update>
  struct Lists {
    explicit Lists(typename B::Context& context) : coefficients(context) {}
    detail::Sent<B, functional::JudgedUpdate<functional::UpdateAndAverage<T, Update>>> coefficients;
    detail::SegmentList<B, states_of<Update> + 3> averaged;
    detail::SegmentList<B, states_of<Update> + 2> alone;
  };

  /// f with the functor of the coming step.
  template <class F>
  void visit(double factor, F const& f) const {
    Rule::template visit<T>(optimizer_->config(), factor * optimizer_->learning_rate(),
                            optimizer_->steps() + 1, f);
  }
  template <class Update>
  [[nodiscard]] Lists<Update>& lists() const {
    return *static_cast<Lists<Update>*>(lists_.get());
  }
  [[nodiscard]] typename B::Context& context() const {
    return optimizer_->parameters().parameters.front().parameter.value().context();
  }

  GradientDescent<B, Rule>* optimizer_;
  Ema<B>* ema_;
  std::shared_ptr<void> lists_;  ///< Lists of the one functor that the configuration names
};

/// The same of an optimizer with a schedule of its own.
template <class Launch, class O, class S>
class ScheduledLaunch {
 public:
  ScheduledLaunch(Launch launch, Scheduled<O, S> const& scheduled)
      : launch_(std::move(launch)), scheduled_(&scheduled) {}
  void send(double factor) { launch_.send(factor * scheduled_->schedule()(scheduled_->steps())); }
  template <class V>
  void launch(V const* verdict) const {
    launch_.launch(verdict);
  }
  void count(int more) { launch_.count(more); }

 private:
  Launch launch_;
  Scheduled<O, S> const* scheduled_;
};

/// The same of several: a launch each.
template <class... Launch>
class LaunchesTogether {
 public:
  explicit LaunchesTogether(Launch... launch) : launches_(std::move(launch)...) {}
  void send(double factor) {
    std::apply([&](auto&... launch) { (launch.send(factor), ...); }, launches_);
  }
  template <class V>
  void launch(V const* verdict) const {
    std::apply([&](auto const&... launch) { (launch.launch(verdict), ...); }, launches_);
  }
  void count(int more) {
    std::apply([&](auto&... launch) { (launch.count(more), ...); }, launches_);
  }

 private:
  std::tuple<Launch...> launches_;
};

/// The launches of an optimizer: of Adam, AdamW, Sgd, and of Scheduled and Together of such.
template <class B, class Rule>
[[nodiscard]] auto in_one_launch(GradientDescent<B, Rule>& optimizer, Ema<B>* ema) {
  return OneLaunch<B, Rule>{optimizer, ema};
}
template <class O, class S>
[[nodiscard]] auto in_one_launch(Scheduled<O, S>& scheduled, Ema<typename O::Backend>* ema) {
  auto launch = in_one_launch(scheduled.optimizer(), ema);
  return ScheduledLaunch<decltype(launch), O, S>{std::move(launch), scheduled};
}
template <class First, class... Rest>
[[nodiscard]] auto in_one_launch(Together<First, Rest...>& together, Ema<typename First::Backend>* ema) {
  return std::apply(
      [&](auto*... optimizer) {
        return LaunchesTogether<decltype(in_one_launch(*optimizer, ema))...>{
            in_one_launch(*optimizer, ema)...};
      },
      together.optimizers());
}

}  // namespace diffsiam::train
