// Optimizer: what a training step asks of whatever moves the weights.
#pragma once

#include <concepts>
#include <cstdint>
#include <string>

#include <diffsiam/nn/module.hpp>
#include <diffsiam/train/ema.hpp>

namespace diffsiam::train {

/// Accepts any state; for the concept below.
struct AnyStateVisitor {
  template <class State>
  void operator()(std::string const&, State const&) const {}
};

/// Accepts any count; for the concept below.
struct AnyCountVisitor {
  void operator()(std::string const&, std::uint64_t&) const {}
};

/// Satisfied if and only if O holds parameters of one backend, moves them by step(factor), where `factor`
/// scales the learning rate, leaves their gradients zero and their buffers committed, counts its steps, and
/// shows all that a checkpoint must keep: its state as (name, tensor), and what it counts as (name, count&),
/// each count by whoever counts. With step(factor, Ema&) it moves averages in the same pass
/// (Ema::fused_average). Models: Adam, AdamW, Sgd, Scheduled, OptimizerGroup.
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

/// A step that moves the averages in the same pass if the optimizer can; ema.end_update() moves the rest.
template <Optimizer O>
void step_with(O& optimizer, double factor, Ema<typename O::Backend>& ema) {
  if constexpr (requires { optimizer.step(factor, ema); })
    optimizer.step(factor, ema);
  else
    optimizer.step(factor);
}

}  // namespace detail

}  // namespace diffsiam::train
