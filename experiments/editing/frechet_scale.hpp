// The Frechet distance of pictures to test pictures, in the features of the judge.
#pragma once

#include <algorithm>
#include <vector>

#include <diffsiam/eval/frechet.hpp>

#include <experiments/editing/studio.hpp>

namespace experiments {

/// Distances to all test pictures. Few pictures have a bias upwards, so compare equal counts only.
class FrechetScale {
 public:
  explicit FrechetScale(Studio const& studio)
      : studio_(&studio),
        test_(moments(ds::eval::encode(*studio.context, code(), studio.data->pictures.test))) {}

  [[nodiscard]] double operator()(ds::Tensor<B> const& pictures) const {
    return ds::eval::frechet_distance(test_, moments(studio_->judge.encode(pictures).values()));
  }
  /// What real pictures reach: so many validation pictures.
  [[nodiscard]] double of_real(ds::Index count) const {
    ds::data::Dataset const& real = studio_->data->pictures.validation;
    auto const part = real.slice(0, std::min(count, real.size()));
    return ds::eval::frechet_distance(test_, moments(ds::eval::encode(*studio_->context, code(), part)));
  }

 private:
  [[nodiscard]] CodeOf<Judge> code() const {
    return {studio_->judge, studio_->judge.encoder().latent_dims()};
  }
  [[nodiscard]] ds::eval::FrechetMoments moments(std::vector<float> const& features) const {
    return ds::eval::FrechetMoments::of(features_of(features, code().dims), &studio_->context->threads());
  }

  Studio const* studio_;
  ds::eval::FrechetMoments test_;
};

}  // namespace experiments
