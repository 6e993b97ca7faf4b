// The features that an encoder makes of a data set.
#pragma once

#include <algorithm>
#include <span>
#include <vector>

#include <diffsiam/data/dataset.hpp>
#include <diffsiam/tensor/tensor.hpp>

namespace diffsiam::eval {

/// encoder(x) of every picture, in batches and without a tape: rows of encoder.latent_dims() values.
/// std::vector<float> const z = encode(context, model.encoder(), test);
/// knn({{z, test.size(), 64}, test.labels()}, ...);
template <class Encoder>
[[nodiscard]] std::vector<float> encode(typename Encoder::Backend::Context& context, Encoder const& encoder,
                                        data::Dataset const& pictures, Index batch = 500) {
  if (batch < 1) fail<ConfigError>("encode", "a batch of 1 picture or more", batch);
  std::vector<float> features;
  for (Index from = 0; from < pictures.size(); from += batch) {
    auto const part = pictures.slice(from, std::min(from + batch, pictures.size()));
    auto const units = part.units();
    auto const z = encoder(
        Tensor<typename Encoder::Backend>::from(context, part.shape(), std::span<float const>{units}));
    auto const values = z.template values<float>();
    features.insert(features.end(), values.begin(), values.end());
  }
  return features;
}

}  // namespace diffsiam::eval
