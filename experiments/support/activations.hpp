// What a frozen denoiser's activations tell of pictures, and the neighbours that they make of them.
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

/// The rows of f(pictures), found for 10,000 pictures at a time, so that few wide ones are held.
template <class F>
[[nodiscard]] std::vector<float> in_pieces(ds::data::Dataset const& pictures, F const& f) {
  constexpr ds::Index at_once = 10'000;
  std::vector<float> all;
  for (ds::Index from = 0; from < pictures.size(); from += at_once) {
    auto const rows = f(pictures.slice(from, std::min(from + at_once, pictures.size())));
    all.insert(all.end(), rows.begin(), rows.end());
  }
  return all;
}

/// Principal components of a frozen denoiser's activations at hardly any noise, where they tell most. All
/// that is given must outlive this.
template <class B>
class ActivationComponents {
 public:
  /// `count` of them, or fewer of few pictures; the first ones of `train` settle which. Ranks encode
  /// together.
  ActivationComponents(typename B::Context& context, ds::UNet<B> const& denoiser,
                       ds::data::Dataset const& train, ds::Index count, ds::ThreadPool& threads,
                       std::optional<ds::dist::CommunicatorRef> const& ranks = {})
      : context_(&context),
        threads_(&threads),
        ranks_(ranks),
        activations_(activations_at(10, denoiser, train)),
        pca_(ds::eval::Pca::fit(features_of(activations(first_of(train)), activations_.latent_dims()),
                                {.components = count, .allow_fewer = true}, &threads)) {}

  [[nodiscard]] ds::Index dims() const { return pca_.components(); }

  /// The first 10,000: enough to settle what is fitted.
  [[nodiscard]] static ds::data::Dataset first_of(ds::data::Dataset const& pictures) {
    return pictures.slice(0, std::min<ds::Index>(10'000, pictures.size()));
  }

  /// Rows of dims() values.
  [[nodiscard]] std::vector<float> operator()(ds::data::Dataset const& pictures) const {
    return in_pieces(pictures, [&](ds::data::Dataset const& piece) {
      return pca_(features_of(activations(piece), activations_.latent_dims()), threads_);
    });
  }

 private:
  [[nodiscard]] std::vector<float> activations(ds::data::Dataset const& pictures) const {
    return ds::eval::encode(*context_, activations_, pictures, encoding_of(pictures, ranks_));
  }

  typename B::Context* context_;
  ds::ThreadPool* threads_;
  std::optional<ds::dist::CommunicatorRef> ranks_;
  ds::model::DenoiserActivations<B> activations_;
  ds::eval::Pca pca_;
};

/// The pictures nearest to each by cosine of 64 components of the denoiser's activations.
template <class B>
[[nodiscard]] ds::data::Partners denoiser_partners(
    typename B::Context& context, ds::UNet<B> const& denoiser, ds::data::Dataset const& pictures,
    ds::Index each, ds::ThreadPool& threads, std::optional<ds::dist::CommunicatorRef> const& ranks = {}) {
  ActivationComponents<B> const code{context, denoiser, pictures, 64, threads, ranks};
  auto const components = code(pictures);
  return ds::eval::nearest_partners(features_of(components, code.dims()), each, &threads);
}

}  // namespace experiments
