// What is left of pictures after noise: x_0 is noised to x_tau, the denoiser reconstructs x_0^ in one step,
// clipped to [-1, 1], and the encoder reads it. For latent_order.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

#include <diffsiam/data/dataset.hpp>
#include <diffsiam/data/to_tensor.hpp>
#include <diffsiam/diffusion/ddim.hpp>
#include <diffsiam/diffusion/noising.hpp>
#include <diffsiam/eval/latent_order.hpp>

namespace diffsiam::eval {

/// How pictures are noised and encoded.
struct DenoisedCodesConfig {
  Index batch = 250;  ///< pictures at a time
  Rng rng{};          ///< of the noise, another one for each picture and time-step
};

/// The codes of all `pictures` at each of `steps`. `predict` is diffusion::PlainNoise of a denoiser, or any
/// NoisePredictor. Throws RangeError for no time-step or one outside the schedule, ConfigError for a batch
/// below 1, and what the pictures throw.
template <class Encoder, class Predict>
[[nodiscard]] std::vector<DenoisedCodes> denoised_codes(typename Encoder::Backend::Context& context,
                                                        Encoder const& encoder, Predict const& predict,
                                                        diffusion::NoiseSchedule const& schedule,
                                                        data::Dataset const& pictures,
                                                        std::span<int const> steps,
                                                        DenoisedCodesConfig const& config = {}) {
  using B = typename Encoder::Backend;
  if (config.batch < 1) fail<ConfigError>("denoised_codes", "a batch of 1 picture or more", config.batch);
  if (steps.empty()) fail<RangeError>("denoised_codes", "at least one time-step", "none");
  std::vector<DenoisedCodes> result;
  for (int const t : steps) {
    schedule.require_timestep(t, "denoised_codes");
    result.push_back({.t = t, .values = {}});
  }
  std::uint64_t draw = config.rng.step;
  for (Index from = 0; from < pictures.size(); from += config.batch) {
    auto const part = pictures.slice(from, std::min(from + config.batch, pictures.size()));
    Tensor<B> const x_0 = data::to_tensor<B>(context, part);
    for (DenoisedCodes& codes : result) {
      Tensor<B> const noise = diffusion::normal<B>(context, x_0.shape(), config.rng.at_step(draw++));
      Tensor<B> const t = diffusion::same_timestep<B>(context, part.size(), codes.t);
      // A hop to abar = 1 leaves only x_0^.
      diffusion::Hop const hop{codes.t, schedule.abar(codes.t), 1, true};
      Tensor<B> const clean =
          diffusion::follow_hops<B>(std::span{&hop, 1}, diffusion::add_noise(schedule, x_0, t, noise),
                                    predict, {}, diffusion::NoProgress{});
      auto const z = encoder(clean).template values<float>();
      codes.values.insert(codes.values.end(), z.begin(), z.end());
    }
  }
  return result;
}

}  // namespace diffsiam::eval
