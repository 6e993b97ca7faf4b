// The two sizes that are measured, here and in peers/: `fashion` and `celeba64`.
#pragma once

#include <string>

#include <diffsiam/diffsiam.hpp>

namespace bench {

namespace ds = diffsiam;
using ds::Index;

struct Sizes {
  Index side = 28, channels = 1, batch = 64, latent_dims = 64;
  ds::unet::Config denoiser{.in_channels = 1,
                            .base_channels = 32,
                            .multipliers = {1, 2, 2},
                            .blocks_per_level = 1,
                            .attention_factors = {4}};
  ds::TimestepPartition partition =
      ds::TimestepPartition::uniform({.timesteps = 1000, .subsets = 16, .dims = 64});

  [[nodiscard]] ds::Shape images(Index n) const { return {n, side, side, channels}; }
};

[[nodiscard]] inline Sizes sizes_of(std::string const& config) {
  if (config == "fashion") return {};
  return {.side = 64,
          .channels = 3,
          .batch = 8,
          .latent_dims = 512,
          .denoiser = {.in_channels = 3,
                       .base_channels = 64,
                       .multipliers = {1, 2, 4, 8},
                       .blocks_per_level = 2,
                       .attention_factors = {4}},
          .partition = ds::TimestepPartition::uniform({.timesteps = 1000, .subsets = 64, .dims = 512})};
}

template <class B>
[[nodiscard]] ds::ModularEncoder<B> make_encoder(typename B::Context& context, Sizes const& sizes) {
  using Backbone = ds::encoder::ConvBackbone<B>;
  return {context,
          {.backbone = sizes.side == 28 ? Backbone::Config::for_small() : Backbone::Config::for_64px(),
           .partition = sizes.partition}};
}

/// Denoiser, encoder and shift decoder of one size, with a schedule.
template <class B>
[[nodiscard]] ds::DiffSiam<B> make_diffsiam(typename B::Context& context, ds::UNet<B> const& denoiser,
                                            Sizes const& sizes) {
  return {make_encoder<B>(context, sizes),
          ds::ShiftDecoder<B>{context, denoiser, {.latent_dims = sizes.latent_dims}}};
}

}  // namespace bench
