// SelfAttention: x + proj(attention(qkv(GN(x)))), over all pixels. The projection starts at zero.
#pragma once

#include <diffsiam/config.hpp>
#include <diffsiam/core/text.hpp>
#include <diffsiam/nn/group_norm.hpp>
#include <diffsiam/ops/arithmetic.hpp>
#include <diffsiam/ops/attention.hpp>
#include <diffsiam/ops/linear.hpp>

namespace diffsiam::nn {

/// x (n, h, w, c) -> (n, h, w, c). The channels of each head are stored as [q k v].
template <class B>
class SelfAttention {
 public:
  using Backend = B;
  struct Config {
    Index channels = 0;  ///< a multiple of `heads` and of `groups`
    Index heads = 1;     ///< at least 1
    Index groups = 32;   ///< of the GroupNorm before it
  };

  /// Throws ConfigError where heads or groups do not divide the channels.
  DIFFSIAM_STEERS SelfAttention(Init<B>& init, Config const& config)
      : heads_(config.heads), norm_(init, {.channels = config.channels, .groups = config.groups}) {
    if (config.heads < 1 || config.channels % config.heads != 0) {
      fail<ConfigError>("SelfAttention", {"channels that divide into ", config.heads, " heads"},
                        {config.channels, " channels"});
    }
    PublishedLayout const layout{PublishedLayout::Kind::conv_1d};
    Index const c = config.channels;
    qkv_weight_ = init.uniform({3 * c, c}, c, layout);
    qkv_bias_ = init.uniform({3 * c}, c);
    projection_weight_ = init.constant({c, c}, 0, layout);
    projection_bias_ = init.constant({c}, 0);
  }

  template <FlowingValue X>
  [[nodiscard]] auto operator()(X const& x) const {
    auto const qkv = ops::linear(norm_(x), qkv_weight_, qkv_bias_);       // (n, h, w, 3 c)
    auto const mixed = ops::attention(qkv, heads_);                       // (n, h, w, c)
    return x + ops::linear(mixed, projection_weight_, projection_bias_);  // (n, h, w, c)
  }

  template <class F>
  void for_each_child(F&& f) const {
    f(ChildName{"norm"}, norm_);
    f(ChildName{"qkv.weight"}, qkv_weight_);
    f(ChildName{"qkv.bias"}, qkv_bias_);
    f(ChildName{"projection.weight", "proj_out.weight"}, projection_weight_);
    f(ChildName{"projection.bias", "proj_out.bias"}, projection_bias_);
  }
  template <class F>
  void for_each_setting(F&& f) const {
    f("heads", heads_);
  }

 private:
  Index heads_;
  GroupNorm<B> norm_;
  Parameter<B> qkv_weight_, qkv_bias_, projection_weight_, projection_bias_;
};

}  // namespace diffsiam::nn
