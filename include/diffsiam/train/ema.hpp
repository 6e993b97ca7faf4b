// Ema: the exponential moving average of the weights, average += (1 - d) (w - average), with the decay d =
// min(decay, (1 + n) / (10 + n)) at update n = 0, 1, ... With a constant decay of .9999 the average of a
// short run would still be close to the initial weights.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <diffsiam/functional/updates.hpp>
#include <diffsiam/nn/module.hpp>
#include <diffsiam/tensor/for_each_element.hpp>
#include <diffsiam/train/elements.hpp>

namespace diffsiam::train {

/// Averages the trainable parameters of a list, and copies its buffers.
template <class B>
class Ema {
 public:
  using Backend = B;
  struct Config {
    double decay = 0.9999;  ///< in [0, 1)
  };
  class Scope;

  /// The averages begin as the current weights. Throws ConfigError for a decay outside [0, 1).
  explicit Ema(nn::ParameterList<B> list) : Ema(std::move(list), Config{}) {}
  Ema(nn::ParameterList<B> list, Config config) : list_(std::move(list)), config_(config) {
    detail::require_setting("Ema", "decay", config_.decay, 0, 1, "in [0, 1)");
    for (auto const& entry : list_.parameters) averages_.push_back(entry.parameter.value().clone());
    for (auto const& entry : list_.buffers) buffers_.push_back(entry.buffer.value().clone());
    fused_.resize(averages_.size());
  }

  /// Call it after each step of the optimizer. Throws Error during a Scope.
  void update() {
    begin_update();
    end_update();
  }

  /// begin_update and end_update are an update in two parts. Between them an optimizer may update averages
  /// together with the weights (a fused update). Throws Error during a Scope.
  void begin_update() {
    require_outside("update");
    std::fill(fused_.begin(), fused_.end(), char{0});
    next_ = 0;
  }
  /// The average of a parameter, which the caller then updates by average_update(). Null if the parameter has
  /// no average here, or if this was called for it before in this update.
  [[nodiscard]] Tensor<B> const* fused_average(Parameter<B> const& parameter) {
    // Mostly it is the next one.
    for (std::size_t tried = 0; tried < averages_.size(); ++tried) {
      std::size_t const i = next_ < averages_.size() ? next_ : 0;
      next_ = i + 1;
      if (list_.parameters[i].parameter.same_as(parameter))
        return std::exchange(fused_[i], char{1}) == 0 ? &averages_[i] : nullptr;
    }
    return nullptr;
  }
  /// The change of an average in the update that has begun.
  [[nodiscard]] functional::AverageUpdate<typename B::Scalar> average_update() const {
    auto const n = static_cast<double>(updates_);
    double const decay = std::min(config_.decay, (1 + n) / (10 + n));
    return {static_cast<typename B::Scalar>(1 - decay)};
  }
  /// Updates the averages that were not fused, copies buffers, and counts the update.
  void end_update() {
    for (std::size_t i = 0; i < averages_.size(); ++i)
      if (!fused(i)) for_each_element(average_update(), averages_[i], list_.parameters[i].parameter.value());
    copy_buffers();
    ++updates_;
  }
  /// Whether all averages were fused in this update.
  [[nodiscard]] bool all_fused() const {
    for (std::size_t i = 0; i < averages_.size(); ++i)
      if (!fused(i)) return false;
    return true;
  }
  /// Copies the buffers of the model.
  void copy_buffers() const {
    for (std::size_t i = 0; i < buffers_.size(); ++i) buffers_[i].assign(list_.buffers[i].buffer.value());
  }

  /// Copies the averages to the weights of the model, for the end of training. Throws Error during a Scope.
  void copy_to_model() const {
    require_outside("copy_to_model");
    for (std::size_t i = 0; i < averages_.size(); ++i)
      list_.parameters[i].parameter.value().assign(averages_[i]);
    for (std::size_t i = 0; i < buffers_.size(); ++i) list_.buffers[i].buffer.value().assign(buffers_[i]);
  }

  [[nodiscard]] nn::ParameterList<B> const& parameters() const& { return list_; }
  [[nodiscard]] nn::ParameterList<B> parameters() const&& { return list_; }
  /// Number of updates so far; the decay may depend on it.
  [[nodiscard]] std::uint64_t updates() const { return updates_; }
  /// For a checkpoint that is restored.
  void set_updates(std::uint64_t updates) { updates_ = updates; }
  /// True during a Scope: the averages are in the model and the weights here.
  [[nodiscard]] bool swapped() const { return swapped_; }

  /// Calls visitor(published name, tensor, layout) for every average and every copied buffer.
  template <class Visitor>
  void for_each_state(Visitor&& visitor) const {
    auto const parameters = detail::labels(list_.parameters);
    for (std::size_t i = 0; i < averages_.size(); ++i)
      visitor(parameters[i], averages_[i], list_.parameters[i].parameter.published_layout());
    auto const buffers = detail::labels(list_.buffers);
    for (std::size_t i = 0; i < buffers_.size(); ++i) visitor(buffers[i], buffers_[i], PublishedLayout{});
  }

  /// Throws Error during a Scope.
  void require_outside(std::string const& operation) const {
    if (swapped_)
      throw Error("Ema::" + operation +
                  ": expected the weights in the model, got the average; end the Ema::Scope first");
  }

 private:
  /// Frozen parameters need no update.
  [[nodiscard]] bool fused(std::size_t i) const {
    return fused_[i] != 0 || !list_.parameters[i].parameter.trainable();
  }
  /// Swaps the model and the averages, bit for bit.
  void swap() {
    for (std::size_t i = 0; i < averages_.size(); ++i)
      for_each_element(functional::Swap{}, averages_[i], list_.parameters[i].parameter.value());
    for (std::size_t i = 0; i < buffers_.size(); ++i)
      for_each_element(functional::Swap{}, buffers_[i], list_.buffers[i].buffer.value());
    swapped_ = !swapped_;
  }

  nn::ParameterList<B> list_;
  Config config_;
  std::vector<Tensor<B>> averages_, buffers_;
  std::vector<char> fused_;  ///< whether a parameter was fused in this update
  std::size_t next_ = 0;     ///< where the search for the next average begins
  std::uint64_t updates_ = 0;
  bool swapped_ = false;
};

/// Puts the averages into the model and, when it ends, the weights back:
/// { Ema<B>::Scope const averaged{ema}; accuracy = probe(encoder); }
template <class B>
class Ema<B>::Scope {
 public:
  /// Swaps the averages into the model until the scope ends. Throws Error inside another scope.
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
