// A predictor of the user's own: it knows the picture, as a network that has learned it by heart.
#pragma once

#include <diffsiam/diffsiam.hpp>

template <class B>
struct KnowsThePicture {
  diffsiam::Tensor<B> picture;

  [[nodiscard]] diffsiam::Tensor<B> operator()(diffsiam::Tensor<B> const&, diffsiam::Tensor<B> const&,
                                               diffsiam::diffusion::SamplerStep) const {
    return picture;
  }
  /// What it returns; without this function, eps.
  [[nodiscard]] diffsiam::diffusion::PredictionTarget target() const {
    return diffsiam::diffusion::PredictionTarget::x_0;
  }
};
