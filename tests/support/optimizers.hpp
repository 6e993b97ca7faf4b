// What tests of optimizers share.
#pragma once

#include <cstdint>

#include <diffsiam/nn/module.hpp>

namespace diffsiam::test {

/// An optimizer that moves no averages in its pass.
template <class O>
struct WholeSteps {
  using Backend = typename O::Backend;
  O& optimizer;

  [[nodiscard]] auto const& parameters() const { return optimizer.parameters(); }
  void step(double factor) { optimizer.step(factor); }
  [[nodiscard]] double learning_rate() const { return optimizer.learning_rate(); }
  [[nodiscard]] std::uint64_t steps() const { return optimizer.steps(); }
  template <class Visitor>
  void for_each_count(Visitor&& visitor) {
    optimizer.for_each_count(visitor);
  }
  template <class Visitor>
  void for_each_state(Visitor&& visitor) const {
    optimizer.for_each_state(visitor);
  }
};

/// The parameters and buffers of both.
template <class B>
[[nodiscard]] nn::ParameterList<B> joined(nn::ParameterList<B> a, nn::ParameterList<B> const& b) {
  a.parameters.insert(a.parameters.end(), b.parameters.begin(), b.parameters.end());
  a.buffers.insert(a.buffers.end(), b.buffers.begin(), b.buffers.end());
  return a;
}

}  // namespace diffsiam::test
