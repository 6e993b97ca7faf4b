// ResBlock: skip(x) + Conv(Dropout(SiLU(modulated GN(Conv(SiLU(GN(x))))))), as in guided diffusion (Dhariwal
// and Nichol, 2021). Resampling, if any, comes after the first SiLU and on the skip.
#pragma once

#include <optional>
#include <string_view>

#include <diffsiam/config.hpp>
#include <diffsiam/nn/conv2d.hpp>
#include <diffsiam/nn/dropout.hpp>
#include <diffsiam/nn/group_norm.hpp>
#include <diffsiam/nn/modulation.hpp>
#include <diffsiam/ops/arithmetic.hpp>
#include <diffsiam/ops/resample.hpp>

namespace diffsiam::nn {

/// What a block does to the sides of an image.
enum class Resample { keep, halve, twice };

/// "keep", "halve" or "twice", as files of models have it.
[[nodiscard]] constexpr std::string_view to_string(Resample resample) {
  switch (resample) {
    case Resample::keep:
      return "keep";
    case Resample::halve:
      return "halve";
    case Resample::twice:
      return "twice";
  }
  return "unknown";
}

/// x (n, h, w, in) and embeddings (n, embedding) -> (n, h', w', out). The last convolution starts at zero.
/// The skip is a 1x1 convolution if the number of channels changes.
template <class B, class Conditioning = TimeModulation<B>>
class ResBlock {
 public:
  using Backend = B;
  struct Config {
    Index in = 0, out = 0;               ///< channels
    Index embedding = 0;                 ///< width of the embeddings
    Index groups = 32;                   ///< of both GroupNorms; they divide `in` and `out`
    double dropout = 0;                  ///< the probability that an element is dropped, in [0, 1)
    Resample resample = Resample::keep;  ///< of the sides, by 2
  };

  /// Throws ConfigError for what its layers refuse: extents below 1, groups that do not divide the channels,
  /// a probability out of range.
  DIFFSIAM_STEERS ResBlock(Init<B>& init, Config const& config)
      : resample_(config.resample),
        norm_1_(init, {.channels = config.in, .groups = config.groups}),
        conv_1_(init, {.in = config.in, .out = config.out}),
        conditioning_(init, config.embedding, config.out),
        norm_2_(init, {.channels = config.out, .groups = config.groups}),
        dropout_(config.dropout),
        conv_2_(init, {.in = config.out, .out = config.out, .zero = true}) {
    if (config.in != config.out)
      skip_.emplace(init, typename Conv2d<B>::Config{.in = config.in, .out = config.out, .kernel = 1});
  }

  template <FlowingValue X, FlowingValue... E>
  [[nodiscard]] auto operator()(X const& x, E const&... embeddings) const {
    // The skip is computed first, so its backward pass comes last: its large gradient need not be kept
    // meanwhile.
    auto const wide = resampled(x);                                                   // (n, h', w', in)
    auto const same = skip_ ? (*skip_)(wide) : wide;                                  // (n, h', w', out)
    auto const h = conv_1_(resampled(norm_1_(x)));                                    // (n, h', w', out)
    auto const update = conv_2_(dropout_(norm_2_(h, conditioning_(embeddings...))));  // (n, h', w', out)
    return ops::add(same, update);
  }

  template <class F>
  void for_each_child(F&& f) const {
    f(ChildName{"norm_1", "in_layers.0"}, norm_1_);
    f(ChildName{"conv_1", "in_layers.2"}, conv_1_);
    f(ChildName{"conditioning", ""}, conditioning_);
    f(ChildName{"norm_2", "out_layers.0"}, norm_2_);
    f(ChildName{"conv_2", "out_layers.3"}, conv_2_);
    if (skip_) f(ChildName{"skip", "skip_connection"}, *skip_);
  }
  template <class F>
  void for_each_setting(F&& f) const {
    f("resample", to_string(resample_));
  }

 private:
  template <FlowingValue X>
  [[nodiscard]] X resampled(X const& x) const {
    if (resample_ == Resample::keep) return x;
    return resample_ == Resample::halve ? ops::downsample_mean(x) : ops::upsample_nearest(x);
  }

  Resample resample_;
  GroupNorm<B, functional::Silu> norm_1_;
  Conv2d<B> conv_1_;
  Conditioning conditioning_;
  GroupNorm<B, functional::Silu> norm_2_;
  Dropout dropout_;
  Conv2d<B> conv_2_;
  std::optional<Conv2d<B>> skip_;
};

}  // namespace diffsiam::nn
