// The run of the main job: its sizes, its folder, its data.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include <nlohmann/json.hpp>
#include <sys/resource.h>

#include <diffsiam/data/augment_config.hpp>
#include <diffsiam/data/fashion_mnist.hpp>
#include <diffsiam/diffsiam.hpp>

namespace experiments {

namespace ds = diffsiam;

/// Everything a run depends on, besides the data.
struct RunConfig {
  std::string name = "quick";
  std::uint64_t seed = 0;
  int threads = 0;  ///< 0: all cores; the result does not depend on it
  std::string backend = "cpu", precision = "float32";

  ds::Index base_channels = 16, groups = 8;
  int subsets = 16, latent_dims = 64;
  ds::Index encoder_width = 1;  ///< times the channels of the small backbone

  std::uint64_t denoiser_steps = 550;
  ds::Index denoiser_batch = 64;
  double denoiser_rate = 1e-3;

  std::uint64_t steps = 1300;
  ds::Index batch = 32;           ///< pictures of the diffusion half
  ds::Index siamese_batch = 192;  ///< pictures of the siamese half, two views each
  double rate = 3e-3;
  double siamese_weight = 0.05;
  double temperature = 0.5;  ///< of NT-Xent
  ds::Index neighbours = 0;  ///< of a picture by the denoiser, one of which is its second view; 0: itself
  double p2_k = 0;           ///< of the diffusion loss, see LossWeighting
  int sampling_steps = 50;

  [[nodiscard]] static RunConfig quick() { return {}; }
  [[nodiscard]] static RunConfig full() {
    RunConfig config;
    config.name = "full";
    config.denoiser_steps = 2500;
    config.steps = 5000;
    config.batch = 64;
    config.siamese_batch = 384;
    config.siamese_weight = 0.2;
    config.temperature = 0.2;
    config.neighbours = 5;
    config.encoder_width = 2;
    config.p2_k = 0.01;
    return config;
  }
  [[nodiscard]] nlohmann::ordered_json json() const {
    return {{"name", name},
            {"seed", seed},
            {"backend", backend},
            {"precision", precision},
            {"base_channels", base_channels},
            {"groups", groups},
            {"subsets", subsets},
            {"latent_dims", latent_dims},
            {"encoder_width", encoder_width},
            {"denoiser_steps", denoiser_steps},
            {"denoiser_batch", denoiser_batch},
            {"denoiser_rate", denoiser_rate},
            {"steps", steps},
            {"batch", batch},
            {"siamese_batch", siamese_batch},
            {"rate", rate},
            {"siamese_weight", siamese_weight},
            {"temperature", temperature},
            {"neighbours", neighbours},
            {"p2_k", p2_k},
            {"sampling_steps", sampling_steps}};
  }
};

[[nodiscard]] inline ds::unet::Config denoiser_config(RunConfig const& run) {
  auto config = ds::unet::Config::for_small(1, run.base_channels, run.seed);
  config.groups = run.groups;
  return config;
}
/// `width` times as many channels as the small backbone has.
template <class B>
[[nodiscard]] typename ds::encoder::ConvBackbone<B>::Config small_backbone(ds::Index width,
                                                                           ds::Index channels = 1,
                                                                           ds::Index side = 28) {
  auto config = ds::encoder::ConvBackbone<B>::Config::for_small(channels, side);
  for (ds::Index& of_stage : config.channels) of_stage *= width;
  return config;
}
template <class B>
[[nodiscard]] typename ds::ModularEncoder<B>::Config encoder_config(RunConfig const& run) {
  return {.backbone = small_backbone<B>(run.encoder_width),
          .partition = ds::TimestepPartition::uniform(
              {.timesteps = 1000, .subsets = run.subsets, .dims = run.latent_dims}),
          .seed = run.seed + 1};
}

/// Crops, flips and light. Blur and erased patches cost half a point on validation pictures.
[[nodiscard]] inline ds::data::AugmentConfig fashion_views() {
  auto config = ds::data::AugmentConfig::grey();
  config.crop.least_area = 0.5F;
  config.blur.probability = 0;
  config.erase.probability = 0;
  return config;
}

/// Training, validation (the last pictures of the training part, by seed) and test pictures.
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
