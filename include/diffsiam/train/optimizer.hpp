// Optimizer: the concept of what updates the weights in a training step.
#pragma once

#include <concepts>
#include <cstdint>
#include <string>

#include <diffsiam/nn/module.hpp>
#include <diffsiam/train/ema.hpp>

namespace diffsiam::train {

/// A visitor of any state, for the concept below.
struct AnyStateVisitor {
  /// Does nothing.
  template <class State>
  void operator()(std::string const&, State const&) const {}
};

/// A visitor of any count, for the concept below.
struct AnyCountVisitor {
  /// Does nothing.
  void operator()(std::string const&, std::uint64_t&) const {}
};

/// Satisfied if and only if O holds parameters of one backend and
///   - step(factor) updates them, sets their gradients to zero, commits their buffers and counts the step;
///     `factor` scales the learning rate;
///   - for_each_state and for_each_count show what a checkpoint keeps, as (name, tensor) and (name, count&).
/// If it has step(factor, Ema&), averages are updated in the same pass (Ema::fused_average). Models: Adam,
/// AdamW, Sgd, Scheduled, OptimizerGroup.
template <class O>
concept Optimizer = requires(O& optimizer, O const& constant, double value) {
  typename O::Backend;
  { constant.parameters() } -> std::same_as<nn::ParameterList<typename O::Backend> const&>;
  optimizer.step(value);
  { constant.learning_rate() } -> std::same_as<double>;
  { constant.steps() } -> std::same_as<std::uint64_t>;
  constant.for_each_state(AnyStateVisitor{});
  optimizer.for_each_count(AnyCountVisitor{});
};

namespace detail {

/// A step that updates the averages in the same pass if the optimizer can; ema.end_update() updates the rest.
template <Optimizer O>
void step_with(O& optimizer, double factor, Ema<typename O::Backend>& ema) {
  if constexpr (requires { optimizer.step(factor, ema); })
    optimizer.step(factor, ema);
  else
    optimizer.step(factor);
}

}  // namespace detail

}  // namespace diffsiam::train
