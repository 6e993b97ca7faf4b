// What a frozen denoiser sees in pictures: its activations at the end of the way down, and the neighbours
// that they make of pictures.
#pragma once

#include <algorithm>
#include <optional>
#include <vector>

#include <diffsiam/eval/nearest_partners.hpp>
#include <diffsiam/eval/pca.hpp>

#include <experiments/support/measures.hpp>

namespace experiments {

/// Activations at the end of the denoiser's way down for pictures noised to step t, flattened.
template <class B_>
struct DenoiserCode {
  using Backend = B_;
  ds::UNet<B_> const& denoiser;
  int t;
  ds::Index side;  ///< of the pictures

  [[nodiscard]] ds::Tensor<B_> operator()(ds::Tensor<B_> const& x) const {
    auto const steps = ds::diffusion::same_timestep<B_>(x.context(), x.shape().samples(), t);
    auto const noise = ds::diffusion::normal<B_>(x.context(), x.shape(), {.seed = 0, .stream = 60});
    auto const x_t = ds::add_noise(ds::NoiseSchedule::linear(), x, steps, noise);
    return ds::ops::flatten(denoiser.down()(x_t, denoiser.time_embedding()(steps)).front());
  }
  [[nodiscard]] ds::Index latent_dims() const {
    auto const& config = denoiser.config();
    ds::Index const level = config.levels() - 1, lowest = side >> level;
    return config.channels(level) * lowest * lowest;
  }
};

/// The pictures nearest to each by the denoiser's activations at hardly any noise, where they tell most: by
/// cosine of 64 principal components (fewer of few pictures), which the first 10,000 pictures settle.
template <class B>
[[nodiscard]] ds::data::Partners denoiser_partners(
    typename B::Context& context, ds::UNet<B> const& denoiser, ds::data::Dataset const& pictures,
    ds::Index each, ds::ThreadPool& threads, std::optional<ds::dist::CommunicatorRef> const& ranks = {}) {
  constexpr ds::Index piece = 10000;
  DenoiserCode<B> const code{denoiser, 10, pictures.height()};
  std::optional<ds::eval::Pca> pca;
  std::vector<float> components;
  for (ds::Index from = 0; from < pictures.size(); from += piece) {
    auto const part = pictures.slice(from, std::min(from + piece, pictures.size()));
    auto const values = ds::eval::encode(context, code, part, encoding_of(part, ranks));
    auto const activations = features_of(values, code.latent_dims());
    if (!pca) pca = ds::eval::Pca::fit(activations, {.components = 64, .allow_fewer = true}, &threads);
    auto const few = (*pca)(activations, &threads);
    components.insert(components.end(), few.begin(), few.end());
  }
  return ds::eval::nearest_partners(features_of(components, pca->components()), each, &threads);
}

}  // namespace experiments
