// Ema: the exponential moving average of the weights, average += (1 - d) (w - average), with the decay
// d = min(decay, (1 + n) / (10 + n)) at update n = 0, 1, ...: a plain decay of .9999 would make a short run
// evaluate its initial weights.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <diffsiam/functional/updates.hpp>
#include <diffsiam/nn/module.hpp>
#include <diffsiam/train/elements.hpp>

namespace diffsiam::train {

/// Averages the trainable parameters of a list and copies its buffers.
template <class B>
class Ema {
 public:
  using Backend = B;
  struct Config {
    double decay = 0.9999;  ///< in [0, 1)
  };
  class Scope;

  /// Starts from the present weights. Throws ConfigError for a decay outside [0, 1).
  explicit Ema(nn::ParameterList<B> list) : Ema(std::move(list), Config{}) {}
  Ema(nn::ParameterList<B> list, Config config) : list_(std::move(list)), config_(config) {
    detail::require_setting("Ema", "decay", config_.decay, 0, 1, "in [0, 1)");
    for (auto const& entry : list_.parameters) averages_.push_back(entry.parameter.value().clone());
    for (auto const& entry : list_.buffers) buffers_.push_back(entry.buffer.value().clone());
    fused_.resize(averages_.size());
  }

  /// After each step of the optimizer. Throws Error while the average stands in the model.
  void update() {
    begin_update();
    end_update();
  }

  /// An update in parts: between its begin and its end an optimizer may take averages over and move them in
  /// the pass that moves the weights (a fused update). Throws Error while the average stands in the model.
  void begin_update() {
    require_outside("update");
    std::fill(fused_.begin(), fused_.end(), char{0});
    next_ = 0;
  }
  /// The average of a parameter, which the caller will move by average_update(); null for one that is not
  /// averaged here, or was taken over before.
  [[nodiscard]] Tensor<B> const* fused_average(Parameter<B> const& parameter) {
    // Mostly the one behind the last.
    for (std::size_t tried = 0; tried < averages_.size(); ++tried) {
      std::size_t const i = next_ < averages_.size() ? next_ : 0;
      next_ = i + 1;
      if (list_.parameters[i].parameter.same_as(parameter))
        return std::exchange(fused_[i], char{1}) == 0 ? &averages_[i] : nullptr;
    }
    return nullptr;
  }
  /// How an average moves in the update that has begun.
  [[nodiscard]] functional::AverageUpdate<typename B::Scalar> average_update() const {
    auto const n = static_cast<double>(updates_);
    double const decay = std::min(config_.decay, (1 + n) / (10 + n));
    return {static_cast<typename B::Scalar>(1 - decay)};
  }
  /// Moves what no optimizer took over, copies buffers and counts.
  void end_update() {
    for (std::size_t i = 0; i < averages_.size(); ++i)
      if (!fused(i))
        detail::for_each_element(average_update(), averages_[i], list_.parameters[i].parameter.value());
    copy_buffers();
    ++updates_;
  }
  /// Whether optimizers took over all that moves in this update.
  [[nodiscard]] bool all_fused() const {
    for (std::size_t i = 0; i < averages_.size(); ++i)
      if (!fused(i)) return false;
    return true;
  }
  /// Of the model, as they are.
  void copy_buffers() const {
    for (std::size_t i = 0; i < buffers_.size(); ++i) buffers_[i].assign(list_.buffers[i].buffer.value());
  }

  /// The averages become the weights of the model, for good: when training has ended. Throws Error while they
  /// stand there already.
  void copy_to_model() const {
    require_outside("copy_to_model");
    for (std::size_t i = 0; i < averages_.size(); ++i)
      list_.parameters[i].parameter.value().assign(averages_[i]);
    for (std::size_t i = 0; i < buffers_.size(); ++i) list_.buffers[i].buffer.value().assign(buffers_[i]);
  }

  [[nodiscard]] nn::ParameterList<B> const& parameters() const& { return list_; }
  [[nodiscard]] nn::ParameterList<B> parameters() const&& { return list_; }
  [[nodiscard]] std::uint64_t updates() const { return updates_; }
  void set_updates(std::uint64_t updates) { updates_ = updates; }
  /// True while the average stands in the model, the weights here.
  [[nodiscard]] bool swapped() const { return swapped_; }

  /// Calls visitor(published name, tensor, layout) for every average and copied buffer.
  template <class Visitor>
  void for_each_state(Visitor&& visitor) const {
    auto const parameters = detail::labels(list_.parameters);
    for (std::size_t i = 0; i < averages_.size(); ++i)
      visitor(parameters[i], averages_[i], list_.parameters[i].parameter.published_layout());
    auto const buffers = detail::labels(list_.buffers);
    for (std::size_t i = 0; i < buffers_.size(); ++i) visitor(buffers[i], buffers_[i], PublishedLayout{});
  }

  /// Throws Error while the average stands in the model.
  void require_outside(std::string const& operation) const {
    if (swapped_)
      throw Error("Ema::" + operation +
                  ": expected the weights in the model, got the average; end the Ema::Scope first");
  }

 private:
  /// Frozen parameters have nothing to move.
  [[nodiscard]] bool fused(std::size_t i) const {
    return fused_[i] != 0 || !list_.parameters[i].parameter.trainable();
  }
  /// Exchanges model and average, bit for bit; twice is nothing.
  void swap() {
    for (std::size_t i = 0; i < averages_.size(); ++i)
      detail::for_each_element(functional::Swap{}, averages_[i], list_.parameters[i].parameter.value());
    for (std::size_t i = 0; i < buffers_.size(); ++i)
      detail::for_each_element(functional::Swap{}, buffers_[i], list_.buffers[i].buffer.value());
    swapped_ = !swapped_;
  }

  nn::ParameterList<B> list_;
  Config config_;
  std::vector<Tensor<B>> averages_, buffers_;
  std::vector<char> fused_;  ///< taken over in this update; by parameter
  std::size_t next_ = 0;     ///< where the next average is looked for first
  std::uint64_t updates_ = 0;
  bool swapped_ = false;
};

/// Puts the average into the model and, at its end, the weights back:
/// { Ema<B>::Scope const averaged{ema}; accuracy = probe(encoder); }
template <class B>
class Ema<B>::Scope {
 public:
  explicit Scope(Ema& ema) : ema_(ema) {
    ema_.require_outside("Scope");
    ema_.swap();
  }
  Scope(Scope const&) = delete;
  Scope& operator=(Scope const&) = delete;
  ~Scope() { ema_.swap(); }

 private:
  Ema& ema_;
};

}  // namespace diffsiam::train
