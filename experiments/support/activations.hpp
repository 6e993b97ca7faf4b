// The neighbours that a frozen denoiser's activations make of pictures.
#pragma once

#include <algorithm>
#include <optional>
#include <vector>

#include <diffsiam/eval/nearest_partners.hpp>
#include <diffsiam/eval/pca.hpp>
#include <diffsiam/model/denoiser_activations.hpp>

#include <experiments/support/measures.hpp>

namespace experiments {

template <class B>
[[nodiscard]] ds::model::DenoiserActivations<B> activations_at(int t, ds::UNet<B> const& denoiser,
                                                               ds::data::Dataset const& pictures) {
  return {denoiser, ds::NoiseSchedule::linear(), t, pictures.height(), pictures.width()};
}

/// The pictures nearest to each by the denoiser's activations at hardly any noise, where they tell most: by
/// cosine of 64 principal components (fewer of few pictures), which the first 10,000 pictures settle.
template <class B>
[[nodiscard]] ds::data::Partners denoiser_partners(
    typename B::Context& context, ds::UNet<B> const& denoiser, ds::data::Dataset const& pictures,
    ds::Index each, ds::ThreadPool& threads, std::optional<ds::dist::CommunicatorRef> const& ranks = {}) {
  constexpr ds::Index piece = 10000;
  auto const code = activations_at(10, denoiser, pictures);
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
