// A DiffSiam model small enough for tests that run all of it: 8x8 pictures, twelve time-steps, four subsets.
#pragma once

#include <diffsiam/backend/cpu.hpp>
#include <diffsiam/diffsiam.hpp>
#include <diffsiam/testing/case.hpp>

namespace diffsiam::test {

template <class B>
struct SmallModel {
  static constexpr int timesteps = 12;

  [[nodiscard]] static TimestepPartition four_subsets() {
    return TimestepPartition::uniform({.timesteps = timesteps, .subsets = 4, .dims = 8});
  }
  [[nodiscard]] static NoiseSchedule schedule() { return NoiseSchedule::linear(timesteps, 0.01, 0.3); }
  [[nodiscard]] static unet::Config denoiser_config() {
    return {.in_channels = 1,
            .base_channels = 8,
            .multipliers = {1, 2},
            .blocks_per_level = 1,
            .attention_factors = {2},
            .groups = 4};
  }

  /// All weights random, the zero-initialised ones too, unless told to leave them.
  explicit SmallModel(typename B::Context& context, TimestepPartition const& partition = four_subsets(),
                      bool random = true, GradientMode mode = GradientMode::joint)
      : denoiser(context, denoiser_config()),
        encoder(context, {.backbone = {.in_channels = 1,
                                       .height = 8,
                                       .width = 8,
                                       .channels = {8, 8},
                                       .attention_after = -1,
                                       .groups = 4},
                          .partition = partition}),
        decoder(context, denoiser, {.latent_dims = partition.dims()}),
        model(encoder, decoder, {.schedule = schedule(), .gradient_mode = mode}) {
    testing::randomise(denoiser, 1);
    if (random) testing::randomise(model, 2);
  }

  UNet<B> denoiser;
  ModularEncoder<B> encoder;
  ShiftDecoder<B> decoder;
  DiffSiam<B> model;
};

}  // namespace diffsiam::test
