// The settings of a run of the main job, with defaults that depend on the size of the pictures.
#pragma once

#include <cstdint>
#include <string>

#include <nlohmann/json.hpp>
#include <sys/resource.h>

#include <diffsiam/data/augment_config.hpp>
#include <diffsiam/data/dataset.hpp>
#include <diffsiam/diffsiam.hpp>

#include <experiments/settings.hpp>

namespace experiments {

namespace ds = diffsiam;

/// Everything a run depends on, besides the pictures.
struct RunConfig {
  std::string name = "quick";
  std::uint64_t seed = 0;
  int threads = 0;  ///< 0: all cores; the result does not depend on it
  std::string backend = "cpu", precision = "float32";
  bool tensorboard = false;  ///< writes the curves of training for TensorBoard, too

  ds::Index size = 28, channels = 1;  ///< of the pictures, which are square
  ds::Index groups = 8;               ///< of the denoiser's norms
  int sampling_steps = 50;

  // Settings that the user may change; the defaults are those of small pictures.
  ds::Index base = 16;
  int subsets = 16, latent_dims = 64;
  ds::Index encoder_width = 1;
  std::uint64_t denoiser_steps = 1100;
  ds::Index denoiser_batch = 32;
  double denoiser_rate = 2e-3;
  std::uint64_t steps = 1300;
  ds::Index batch = 32, siamese_batch = 192;
  double rate = 3e-3;
  double siamese_weight = 0.05;
  double temperature = 0.5;
  ds::Index neighbours = 0;
  double p2_k = 0;
  ds::Index activations = 448;
  int pieces = 1;

  /// See experiments/settings.hpp.
  template <class Self, class F>
  static void for_each_setting(Self& self, F&& f) {
    f("base", self.base, 8, 1024, "channels of the denoiser's first level, a multiple of 8");
    f("subsets", self.subsets, 1, 64, "k; 1 is PDAE");
    f("latent_dims", self.latent_dims, 1, 4096, "d, the width of z");
    f("encoder_width", self.encoder_width, 1, 16, "times the channels of the encoder");
    f("denoiser_steps", self.denoiser_steps, 1, most_steps, "steps of the first stage");
    f("denoiser_batch", self.denoiser_batch, 1, 4096, "pictures of one of these steps");
    f("denoiser_rate", self.denoiser_rate, 1e-9, 10, "learning rate of the first stage");
    f("steps", self.steps, 1, most_steps, "steps of the second stage");
    f("batch", self.batch, 1, 4096, "pictures of the diffusion half of one of these steps");
    f("siamese_batch", self.siamese_batch, 2, 16384, "pictures of the siamese half, two views each");
    f("rate", self.rate, 1e-9, 10, "learning rate of the second stage");
    f("siamese_weight", self.siamese_weight, 0, 1e6, "w in L_diffusion + w L_siamese");
    f("temperature", self.temperature, 1e-3, 1e3, "of NT-Xent");
    f("neighbours", self.neighbours, 0, 1000,
      "of a picture by the denoiser, one of which is its second view; 0: itself");
    f("p2_k", self.p2_k, 0, 1e6, "weights the diffusion loss by 1/(k + SNR); 0: SNR^0.1/(1 + SNR)");
    f("activations", self.activations, 0, 4096,
      "principal components of the denoiser's activations that are measured beside z; 0: z alone");
    f("pieces", self.pieces, 1, 4096,
      "of a batch, which ranks under mpirun share; the result depends on them, not on the number of ranks");
  }

  /// Defaults for pictures of `size` x `size`; `full` trains as long as it pays.
  [[nodiscard]] static RunConfig for_pictures(ds::Index size, ds::Index channels, bool full) {
    RunConfig config;
    config.size = size;
    config.channels = channels;
    if (channels == 3) {  // chosen on validation pictures of openclipart
      config.siamese_weight = 0.2;
      config.temperature = 0.2;
    }
    if (size > small_side) {  // the networks are large, so batches are small
      config.base = 32;
      config.denoiser_steps = 550;
      config.denoiser_batch = 16;
      config.denoiser_rate = 1e-3;
      config.batch = 8;
      config.siamese_batch = 64;
      config.rate = 1e-3;
      config.activations = 0;  // there are thousands, of which PCA is slow
    }
    if (!full) return config;
    config.name = "full";
    config.latent_dims = 512;  // as published
    config.subsets = 64;
    config.denoiser_steps = size > small_side ? 2500 : 5000;
    config.steps = 5000;
    config.batch *= 2;
    config.siamese_batch *= 2;
    config.siamese_weight = 0.2;
    config.temperature = 0.2;
    config.neighbours = 5;
    config.encoder_width = 2;
    config.p2_k = 0.01;
    return config;
  }
  [[nodiscard]] nlohmann::ordered_json json() const {
    nlohmann::ordered_json all{
        {"name", name}, {"seed", seed},         {"backend", backend}, {"precision", precision},
        {"size", size}, {"channels", channels}, {"groups", groups},   {"sampling_steps", sampling_steps}};
    all.update(json_of_settings(*this));
    return all;
  }

  /// Up to this side the small networks are used, above it the published ones for 64 or 128 pixels.
  static constexpr ds::Index small_side = 40, medium_side = 80, largest_side = 128;
  /// Both sides of the pictures are multiples of this, since the denoiser halves them.
  [[nodiscard]] static constexpr ds::Index side_multiple(ds::Index side) {
    return side <= small_side ? 4 : side <= medium_side ? 8 : 16;
  }
};

/// The denoiser: small; or with the multipliers that are published for 64 or 128 pixels.
[[nodiscard]] inline ds::unet::Config denoiser_config(RunConfig const& run) {
  auto config = ds::unet::Config::for_small(run.channels, run.base, run.seed);
  config.groups = run.groups;
  if (run.size > RunConfig::small_side) {
    config.multipliers = {1, 2, 4, 8};
    config.attention_factors = {4, 8};
  }
  if (run.size > RunConfig::medium_side) {
    config.multipliers = {1, 1, 2, 3, 4};
    config.attention_factors = {8, 16};
  }
  return config;
}
/// The backbone for such pictures, with `width` times its channels.
template <class B>
[[nodiscard]] typename ds::encoder::ConvBackbone<B>::Config backbone_for(ds::Index width, ds::Index channels,
                                                                         ds::Index side) {
  using Config = typename ds::encoder::ConvBackbone<B>::Config;
  Config config = side <= RunConfig::small_side    ? Config::for_small(channels, side)
                  : side <= RunConfig::medium_side ? Config::for_64px(channels)
                                                   : Config::for_128px(channels);
  config.height = config.width = side;
  for (ds::Index& of_stage : config.channels) of_stage *= width;
  return config;
}
template <class B>
[[nodiscard]] typename ds::ModularEncoder<B>::Config encoder_config(RunConfig const& run) {
  return {.backbone = backbone_for<B>(run.encoder_width, run.channels, run.size),
          .partition = ds::TimestepPartition::uniform(
              {.timesteps = 1000, .subsets = run.subsets, .dims = run.latent_dims}),
          .seed = run.seed + 1};
}

/// Crops, flips and light. Blur and erased patches cost half a point on validation pictures of Fashion-MNIST.
[[nodiscard]] inline ds::data::AugmentConfig grey_views() {
  auto config = ds::data::AugmentConfig::grey();
  config.crop.least_area = 0.5F;
  config.blur.probability = 0;
  config.erase.probability = 0;
  return config;
}
/// Those for pictures with so many channels.
[[nodiscard]] inline ds::data::AugmentConfig views_for(ds::Index channels) {
  if (channels == 1) return grey_views();
  auto config = ds::data::AugmentConfig::colour();
  config.crop = {.probability = 1, .least_area = 0.3F};
  config.blur.probability = 0;
  return config;
}

/// Training, validation and test pictures.
struct Pictures {
  ds::data::Dataset train, validation, test;
};

/// Greatest resident size of this process so far.
[[nodiscard]] inline std::uint64_t peak_bytes() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<std::uint64_t>(usage.ru_maxrss) * 1024;
}

}  // namespace experiments
