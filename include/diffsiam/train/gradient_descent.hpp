// GradientDescent: what all optimizers share. A Rule says which memory a weight has and how one scalar moves.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include <diffsiam/config.hpp>
#include <diffsiam/nn/module.hpp>
#include <diffsiam/train/elements.hpp>
#include <diffsiam/train/optimizer.hpp>

namespace diffsiam::train {

/// Rule: `name`; `state_names` (an array); `Config` with `learning_rate`; `validate(Config)`; and
/// `visit<T>(Config, rate, n, f)`, which calls f with the functor of step n = 1, 2, ... on (weight, gradient,
/// states...). State is as large as the weights, once for each state that the rule uses with its Config.
template <class B, class Rule>
class GradientDescent {
 public:
  using Backend = B;
  using Config = typename Rule::Config;

  /// Throws ConfigError for settings outside their range, and for a list without parameters.
  DIFFSIAM_STEERS explicit GradientDescent(nn::ParameterList<B> list, Config config = {})
      : list_(std::move(list)), config_(config), states_(list_.parameters.size()) {
    Rule::validate(config_);
    if (list_.parameters.empty())
      fail<ConfigError>(Rule::name, "parameters that can be trained", "none", "are all of them frozen?");
    for (std::size_t i = 0; i < states_.size(); ++i) {
      auto const& parameter = list_.parameters[i].parameter;
      // Its gradient lives as long as the state does: made here, it does not cut the memory of the first
      // step.
      if (parameter.trainable()) (void)parameter.gradient();
      for (std::size_t state = 0; state < Rule::states(config_); ++state)
        states_[i][state] = Tensor<B>::zeros(parameter.value().context(), parameter.shape());
    }
  }

  /// Moves the weights against their gradients by `factor` times the learning rate, in one pass that also
  /// zeroes the gradients, and commits what the buffers propose. Frozen parameters stay.
  void step(double factor = 1.0) {
    ++steps_;
    using T = typename B::Scalar;
    Rule::template visit<T>(config_, factor * config_.learning_rate, steps_, [this](auto const& update) {
      for (std::size_t i = 0; i < states_.size(); ++i) {
        auto const& parameter = list_.parameters[i].parameter;
        if (!parameter.trainable()) continue;
        apply(update, parameter.value(), parameter.gradient(), states_[i]);
      }
    });
    for (auto const& entry : list_.buffers) entry.buffer.commit();
  }

  [[nodiscard]] nn::ParameterList<B> const& parameters() const { return list_; }
  [[nodiscard]] Config const& config() const { return config_; }
  [[nodiscard]] double learning_rate() const { return config_.learning_rate; }
  /// Throws ConfigError unless finite and not negative.
  void set_learning_rate(double learning_rate) {
    detail::require_not_negative(Rule::name, "learning_rate", learning_rate);
    config_.learning_rate = learning_rate;
  }
  /// Steps taken so far; the bias correction of Adam depends on them.
  [[nodiscard]] std::uint64_t steps() const { return steps_; }
  void set_steps(std::uint64_t steps) { steps_ = steps; }

  /// Calls visitor(name, tensor) for every state, such as ("first_moment.encoder.0.weight", ...).
  template <class Visitor>
  void for_each_state(Visitor&& visitor) const {
    auto const labels = detail::labels(list_.parameters);
    for (std::size_t i = 0; i < states_.size(); ++i)
      for (std::size_t state = 0; state < Rule::states(config_); ++state)
        visitor(std::string(Rule::state_names[state]) + "." + labels[i], states_[i][state]);
  }

 private:
  static constexpr std::size_t states = Rule::state_names.size();

  /// With as many states as the functor takes.
  template <class Update>
  static void apply(Update const& update, Tensor<B> const& weight, Tensor<B> const& gradient,
                    std::array<Tensor<B>, states> const& memory) {
    using T = typename B::Scalar;
    if constexpr (std::is_invocable_v<Update const&, T&, T&>) {
      detail::for_each_element(update, weight, gradient);
    } else {
      std::apply([&](auto const&... state) { detail::for_each_element(update, weight, gradient, state...); },
                 memory);
    }
  }

  nn::ParameterList<B> list_;
  Config config_;
  std::vector<std::array<Tensor<B>, states>> states_;
  std::uint64_t steps_ = 0;
};

}  // namespace diffsiam::train
