// ConvDecoder: the mirror image of ConvBackbone. A linear layer makes the smallest image from z. Each stage
// is then GroupNorm and SiLU, nearest upsampling by 2, and a 3x3 convolution. There are no transposed
// convolutions, because their kernels overlap unevenly and leave checkerboard patterns (Odena et al., 2016,
// distill.pub/2016/deconv-checkerboard).
#pragma once

#include <utility>
#include <vector>

#include <diffsiam/core/text.hpp>
#include <diffsiam/encoder/backbone.hpp>
#include <diffsiam/nn/conv2d.hpp>
#include <diffsiam/nn/group_norm.hpp>
#include <diffsiam/nn/linear.hpp>
#include <diffsiam/ops/concat.hpp>
#include <diffsiam/ops/resample.hpp>
#include <diffsiam/ops/reshape.hpp>

namespace diffsiam::encoder {

/// z (n, latent_dims) -> (n, height, width, channels), of any range. Copies share their weights.
template <class B>
class ConvDecoder {
 public:
  using Backend = B;
  struct Config {
    Index channels = 3;             ///< of the picture
    Index height = 64, width = 64;  ///< in pixels; halved once for each width, rounded up
    /// Channels before each upsampling, in the order of the backbone: the one before the picture comes first.
    std::vector<Index> widths = {64, 128, 128, 128};
    Index latent_dims = 64;  ///< the width of z, at least 1
    Index groups = 32;       ///< must divide every width
    std::uint64_t seed = 5;  ///< of the initial weights

    /// The decoder for pictures that a backbone of this configuration reads; there is no counterpart of its
    /// attention.
    [[nodiscard]] static Config mirror_of(typename ConvBackbone<B>::Config const& backbone,
                                          Index latent_dims) {
      return {.channels = backbone.in_channels,
              .height = backbone.height,
              .width = backbone.width,
              .widths = backbone.channels,
              .latent_dims = latent_dims,
              .groups = backbone.groups};
    }
  };

  /// Throws ConfigError for sizes that cannot be built, or with which all z would give the same picture.
  ConvDecoder(typename B::Context& context, Config const& config)
      : ConvDecoder(nn::Init<B>{context, config.seed}, config) {}

  template <FlowingValue Z>
  [[nodiscard]] auto operator()(Z const& z) const {
    Index const n = z.shape().samples();
    require_shape("ConvDecoder", {n, config_.latent_dims}, z.shape(), "z is as wide as the decoder reads");
    auto h = ops::reshape(linear_(z), {n, smallest_.height, smallest_.width, config_.widths.back()});
    for (ConvStage const& stage : stages_) h = stage(h);
    return h;  // (n, height, width, channels)
  }

  [[nodiscard]] Config const& config() const& { return config_; }
  [[nodiscard]] Config config() const&& { return config_; }
  /// The width of z that it reads.
  [[nodiscard]] Index latent_dims() const { return config_.latent_dims; }

  template <class F>
  void for_each_child(F&& f) const {
    f(nn::ChildName{"linear"}, linear_);
    for (std::size_t i = 0; i < stages_.size(); ++i) {
      f(nn::ChildName{text({"stage_", i, ".norm"})}, stages_[i].norm);
      f(nn::ChildName{text({"stage_", i, ".conv"})}, stages_[i].conv);
    }
  }
  template <class F>
  void for_each_setting(F&& f) const {
    f("height", config_.height);
    f("width", config_.width);
  }

 private:
  struct Sides {
    Index height, width;
  };
  struct ConvStage {
    nn::GroupNorm<B, functional::Silu> norm;
    nn::Conv2d<B> conv;
    Sides sides;  ///< of the result

    template <FlowingValue X>
    [[nodiscard]] auto operator()(X const& x) const {
      return conv(cropped(ops::upsample_nearest(norm(x)), sides));
    }
  };
  /// The upper left part of x. The backbone makes ceil(side/2) of a side, so twice that may be one pixel too
  /// many.
  template <FlowingValue X>
  [[nodiscard]] static X cropped(X const& x, Sides sides) {
    Index const n = x.shape()[0], w = x.shape()[2], c = x.shape()[3];
    if (x.shape()[1] == sides.height && w == sides.width) return x;
    auto const rows = ops::slice(ops::flatten(x), 0, sides.height * w * c);
    auto const lines = ops::slice(ops::reshape(rows, {n * sides.height, w * c}), 0, sides.width * c);
    return ops::reshape(lines, {n, sides.height, sides.width, c});
  }
  /// The sides after `halvings` convolutions of stride 2.
  [[nodiscard]] static Sides sides_after(Config const& config, std::size_t halvings) {
    Sides sides{config.height, config.width};
    for (std::size_t i = 0; i < halvings; ++i) sides = {(sides.height + 1) / 2, (sides.width + 1) / 2};
    return sides;
  }
  [[nodiscard]] static Config validated(Config const& config) {
    if (config.widths.empty() || config.channels < 1 || config.height < 1 || config.width < 1 ||
        config.latent_dims < 1) {
      fail<ConfigError>("ConvDecoder", "at least one stage, and positive sides, channels and latent dims",
                        {config.widths.size(), " stages, ", config.height, " x ", config.width, " x ",
                         config.channels, ", ", config.latent_dims, " latent dims"});
    }
    return config;
  }

  ConvDecoder(nn::Init<B>&& init, Config const& config)
      : config_(validated(config)),
        smallest_(sides_after(config, config.widths.size())),
        linear_(init, {.in = config.latent_dims,
                       .out = smallest_.height * smallest_.width * config.widths.back()}) {
    for (std::size_t i = config.widths.size(); i-- > 0;) {
      Index const in = config.widths[i], out = i > 0 ? config.widths[i - 1] : config.channels;
      Sides const before = sides_after(config, i + 1);
      nn::require_values_in_groups("ConvDecoder", {"stage ", config.widths.size() - 1 - i}, in, config.groups,
                                   before.height, before.width);
      stages_.push_back({nn::GroupNorm<B, functional::Silu>{init, {.channels = in, .groups = config.groups}},
                         nn::Conv2d<B>{init, {.in = in, .out = out}}, sides_after(config, i)});
    }
  }

  Config config_;
  Sides smallest_;
  nn::Linear<B> linear_;
  std::vector<ConvStage> stages_;
};

}  // namespace diffsiam::encoder
