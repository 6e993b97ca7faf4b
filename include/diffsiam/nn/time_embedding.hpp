// TimeEmbedding: the sinusoids of t, followed by a perceptron of two layers.
#pragma once

#include <diffsiam/nn/linear.hpp>
#include <diffsiam/ops/activation.hpp>
#include <diffsiam/ops/time_embedding.hpp>

namespace diffsiam::nn {

/// t (n), raw integer time-steps -> (n, width).
template <class B>
class TimeEmbedding {
 public:
  using Backend = B;
  struct Config {
    Index dims = 32;    ///< of the sinusoids, even
    Index width = 128;  ///< of both layers
  };

  /// Throws ConfigError for extents that are not positive; calling it throws ConfigError for odd `dims`.
  TimeEmbedding(Init<B>& init, Config const& config)
      : dims_(config.dims),
        first_(init, {.in = config.dims, .out = config.width}),
        second_(init, {.in = config.width, .out = config.width}) {}

  template <FlowingValue T>
  [[nodiscard]] auto operator()(T const& t) const {
    return second_(ops::silu(first_(ops::time_embedding(t, dims_))));
  }

  template <class F>
  void for_each_child(F&& f) const {
    f(ChildName{"first", "0"}, first_);
    f(ChildName{"second", "2"}, second_);
  }

 private:
  Index dims_;
  Linear<B> first_, second_;
};

}  // namespace diffsiam::nn
