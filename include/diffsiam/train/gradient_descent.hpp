// GradientDescent: the common part of all optimizers. A Rule says which states a weight has and how one
// scalar weight is updated.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <diffsiam/config.hpp>
#include <diffsiam/functional/updates.hpp>
#include <diffsiam/nn/module.hpp>
#include <diffsiam/tensor/for_each_element.hpp>
#include <diffsiam/train/elements.hpp>
#include <diffsiam/train/ema.hpp>
#include <diffsiam/train/optimizer.hpp>

namespace diffsiam::train {

namespace detail {
/// The number of states that an update takes: none or all.
template <class Update, class T, std::size_t All>
inline constexpr std::size_t states_taken =
    std::is_invocable_v<std::remove_cvref_t<Update> const&, T&, T&> ? 0 : All;
}  // namespace detail

/// A Rule has `name`; `state_names` (an array); `Config` with `learning_rate`; `states(Config)`, the number
/// of states that are used; `validate(Config)`; and `visit<T>(Config, rate, n, f)`, which calls f with the
/// functor of step n = 1, 2, ... for (weight, gradient, states...). Each state takes as much memory as the
/// weights.
template <class B, class Rule>
class GradientDescent {
 public:
  using Backend = B;
  using Config = typename Rule::Config;

  /// Throws ConfigError for settings out of range and for a list without parameters.
  DIFFSIAM_STEERS explicit GradientDescent(nn::ParameterList<B> list, Config config = {})
      : list_(std::move(list)), config_(config), states_(list_.parameters.size()) {
    Rule::validate(config_);
    if (list_.parameters.empty())
      fail<ConfigError>(Rule::name, "parameters that can be trained", "none", "are all of them frozen?");
    for (std::size_t i = 0; i < states_.size(); ++i) {
      auto const& parameter = list_.parameters[i].parameter;
      for (std::size_t state = 0; state < Rule::states(config_); ++state)
        states_[i][state] = Tensor<B>::zeros(parameter.value().context(), parameter.shape());
    }
    // Gradients live as long as the states. Allocated here, they do not fragment the memory of the first
    // step.
    for (auto const& entry : list_.parameters)
      if (entry.parameter.trainable()) (void)entry.parameter.gradient();
  }

  /// Updates the weights with `factor` times the learning rate, sets the gradients to zero in the same pass,
  /// and commits the proposed buffers. Frozen parameters do not change.
  void step(double factor = 1.0) { move(factor, nullptr); }
  /// The same, but averages are updated in the same pass. Call it between `ema.begin_update()` and
  /// `ema.end_update()`.
  void step(double factor, Ema<B>& ema) { move(factor, &ema); }

  [[nodiscard]] nn::ParameterList<B> const& parameters() const& { return list_; }
  [[nodiscard]] nn::ParameterList<B> parameters() const&& { return list_; }
  [[nodiscard]] Config const& config() const& { return config_; }
  [[nodiscard]] Config config() const&& { return config_; }
  [[nodiscard]] double learning_rate() const { return config_.learning_rate; }
  /// Throws ConfigError unless `learning_rate` is finite and not negative.
  void set_learning_rate(double learning_rate) {
    detail::require_not_negative(Rule::name, "learning_rate", learning_rate);
    config_.learning_rate = learning_rate;
  }
  /// Number of steps so far. The bias correction of Adam depends on it.
  [[nodiscard]] std::uint64_t steps() const { return steps_; }
  /// For a checkpoint that is restored.
  void set_steps(std::uint64_t steps) { steps_ = steps; }
  /// Calls visitor("steps", count); the visitor may read or change the count.
  template <class Visitor>
  void for_each_count(Visitor&& visitor) {
    visitor("steps", steps_);
  }

  /// The states of parameter number `parameter` of the list: Rule::states(config) of them, the others are
  /// empty.
  [[nodiscard]] std::array<Tensor<B>, Rule::state_names.size()> const& states_of(
      std::size_t parameter) const {
    return states_[parameter];
  }
  /// Calls visitor(name, tensor) for every state, such as ("first_moment.encoder.0.weight", ...).
  template <class Visitor>
  void for_each_state(Visitor&& visitor) const {
    auto const labels = detail::labels(list_.parameters);
    for (std::size_t i = 0; i < states_.size(); ++i)
      for (std::size_t state = 0; state < Rule::states(config_); ++state)
        visitor(std::string(Rule::state_names[state]) + "." + labels[i], states_[i][state]);
  }

 private:
  using T = typename B::Scalar;
  static constexpr std::size_t states = Rule::state_names.size();

  // `ema` is a pointer or nullptr, so that programs without averages do not compile them.
  template <class Averages>
  void move(double factor, Averages ema) {
    Rule::template visit<T>(config_, factor * config_.learning_rate, steps_ + 1, [&](auto const& update) {
      constexpr std::size_t taken = detail::states_taken<decltype(update), T, states>;
      for (std::size_t i = 0; i < states_.size(); ++i) {
        auto const& parameter = list_.parameters[i].parameter;
        if (!parameter.trainable()) continue;
        if constexpr (std::is_same_v<Averages, Ema<B>*>) {
          if (Tensor<B> const* const average = ema->fused_average(parameter)) {
            functional::UpdateAndAverage<T, std::remove_cvref_t<decltype(update)>> const both{
                update, ema->average_update()};
            apply<taken>(both, states_[i], parameter.value(), parameter.gradient(), *average);
            continue;
          }
        }
        apply<taken>(update, states_[i], parameter.value(), parameter.gradient());
      }
    });
    for (auto const& entry : list_.buffers) entry.buffer.commit();
    ++steps_;
  }

  template <std::size_t Count, class Update, class... Operands>
  static void apply(Update const& update, std::array<Tensor<B>, states> const& memory,
                    Operands const&... operands) {
    [&]<std::size_t... I>(std::index_sequence<I...>) {
      for_each_element(update, operands..., memory[I]...);
    }(std::make_index_sequence<Count>{});
  }

  nn::ParameterList<B> list_;
  Config config_;
  std::vector<std::array<Tensor<B>, states>> states_;
  std::uint64_t steps_ = 0;
};

}  // namespace diffsiam::train
