// Linear: y = x w^T + b.
#pragma once

#include <diffsiam/config.hpp>
#include <diffsiam/core/text.hpp>
#include <diffsiam/nn/init.hpp>
#include <diffsiam/nn/module.hpp>
#include <diffsiam/ops/linear.hpp>

namespace diffsiam::nn {

/// x (..., in) -> (..., out).
template <class B>
class Linear {
 public:
  using Backend = B;
  struct Config {
    Index in = 0, out = 0;     ///< the last extent of x and that of y, at least 1
    bool zero = false;         ///< start at zero instead of at random
    PublishedLayout layout{};  ///< how published files store the weight
  };

  /// Throws ConfigError unless both extents are positive.
  DIFFSIAM_STEERS Linear(Init<B>& init, Config const& config) {
    if (config.in < 1 || config.out < 1) {
      fail<ConfigError>("Linear", "positive extents", {config.in, " -> ", config.out});
    }
    Shape const weights{config.out, config.in};
    weight_ = config.zero ? init.constant(weights, 0, config.layout)
                          : init.uniform(weights, config.in, config.layout);
    bias_ = config.zero ? init.constant({config.out}, 0) : init.uniform({config.out}, config.in);
  }

  template <FlowingValue X>
  [[nodiscard]] auto operator()(X const& x) const {
    return ops::linear(x, weight_, bias_);
  }

  /// (out, in), and (out).
  [[nodiscard]] Parameter<B> const& weight() const& { return weight_; }
  [[nodiscard]] Parameter<B> weight() const&& { return weight_; }
  [[nodiscard]] Parameter<B> const& bias() const& { return bias_; }
  [[nodiscard]] Parameter<B> bias() const&& { return bias_; }

  template <class F>
  void for_each_child(F&& f) const {
    f(ChildName{"weight"}, weight_);
    f(ChildName{"bias"}, bias_);
  }

 private:
  Parameter<B> weight_, bias_;
};

}  // namespace diffsiam::nn
