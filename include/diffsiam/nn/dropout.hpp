// Dropout: drops elements in training, does nothing in evaluation mode or with p = 0.
#pragma once

#include <diffsiam/nn/mode.hpp>
#include <diffsiam/ops/dropout.hpp>

namespace diffsiam::nn {

/// Has no weights; x may have any shape.
class Dropout {
 public:
  /// `p` is the probability that an element is dropped. Throws ConfigError unless 0 <= p < 1.
  explicit Dropout(double p = 0) : p_(p) {
    if (!(p >= 0 && p < 1)) fail<ConfigError>("Dropout", "0 <= p < 1", p);
  }

  /// In training, elements are dropped and the others are multiplied by 1 / (1 - p); otherwise x itself.
  template <FlowingValue X>
  [[nodiscard]] X operator()(X const& x) const {
    if (p_ == 0 || mode_of(x) == Mode::evaluation) return x;
    if constexpr (requires { x.tape(); }) {
      return ops::dropout(x, p_, x.tape().draw_stream());
    } else {
      return x;
    }
  }

  template <class F>
  void for_each_child(F&&) const {}

 private:
  double p_;
};

}  // namespace diffsiam::nn
