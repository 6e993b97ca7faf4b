// Conv2d: a convolution with a square kernel, with or without a bias. Padding keeps the sides, or halves them
// at stride 2.
#pragma once

#include <diffsiam/config.hpp>
#include <diffsiam/core/text.hpp>
#include <diffsiam/nn/init.hpp>
#include <diffsiam/nn/module.hpp>
#include <diffsiam/ops/conv2d.hpp>

namespace diffsiam::nn {

/// x (n, h, w, in) -> (n, ceil(h/stride), ceil(w/stride), out).
template <class B>
class Conv2d {
 public:
  using Backend = B;
  struct Config {
    Index in = 0, out = 0;  ///< channels, at least 1
    Index kernel = 3;       ///< side of the kernel in pixels, odd
    Index stride = 1;       ///< at least 1
    bool zero = false;      ///< start at zero instead of at random
    bool bias = true;       ///< set to false before a batch norm, which would subtract it again
  };

  /// Throws ConfigError for sizes out of these ranges.
  DIFFSIAM_STEERS Conv2d(Init<B>& init, Config const& config) : stride_(config.stride) {
    if (config.in < 1 || config.out < 1 || config.kernel < 1 || config.kernel % 2 == 0 || config.stride < 1) {
      fail<ConfigError>(
          "Conv2d", "positive channels and stride, and an odd kernel",
          {config.in, " -> ", config.out, ", kernel ", config.kernel, ", stride ", config.stride});
    }
    Shape const weights{config.out, config.kernel, config.kernel, config.in};
    Index const fan_in = config.kernel * config.kernel * config.in;
    PublishedLayout const layout{PublishedLayout::Kind::conv};
    weight_ = config.zero ? init.constant(weights, 0, layout) : init.uniform(weights, fan_in, layout);
    if (!config.bias) return;
    bias_ = config.zero ? init.constant({config.out}, 0) : init.uniform({config.out}, fan_in);
  }

  template <FlowingValue X>
  [[nodiscard]] auto operator()(X const& x) const {
    ops::Conv2d const options{.stride = stride_};
    return bias_ ? ops::conv2d(x, weight_, bias_, options) : ops::conv2d(x, weight_, options);
  }

  template <class F>
  void for_each_child(F&& f) const {
    f(ChildName{"weight"}, weight_);
    f(ChildName{"bias"}, bias_);
  }
  template <class F>
  void for_each_setting(F&& f) const {
    f("stride", stride_);
  }

 private:
  Index stride_;
  Parameter<B> weight_, bias_;
};

}  // namespace diffsiam::nn
