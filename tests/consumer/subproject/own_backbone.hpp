// A backbone of the user's own: one convolution, and the mean over all positions.
#pragma once

#include <diffsiam/diffsiam.hpp>
#include <diffsiam/ops/pool.hpp>

template <class B>
struct OneConvolution {
  using Backend = B;
  struct Config {
    diffsiam::Index channels = 8;
  };
  diffsiam::nn::Conv2d<B> conv;
  diffsiam::Index channels;

  OneConvolution(diffsiam::nn::Init<B>& init, Config const& config)
      : conv(init, {.in = 1, .out = config.channels}), channels(config.channels) {}
  template <diffsiam::FlowingValue X>
  [[nodiscard]] auto operator()(X const& x) const {
    return diffsiam::ops::global_average_pool(diffsiam::ops::silu(conv(x)));  // (n, channels)
  }
  template <class F>
  void for_each_child(F&& f) const {
    f(diffsiam::nn::ChildName{"conv"}, conv);
  }
  [[nodiscard]] diffsiam::Index features() const { return channels; }
  [[nodiscard]] diffsiam::Index published_head() const { return 1; }
  [[nodiscard]] diffsiam::PublishedLayout head_layout() const { return {}; }
};
