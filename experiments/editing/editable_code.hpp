// Codes that pictures are edited in: z, and beside it the rest, which is what z does not hold of a picture
// and which an edit keeps. For a diffusion model the rest is the inferred noise x_T; for PCA and the
// autoencoder it is the difference between the picture and its reconstruction.
#pragma once

#include <algorithm>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <diffsiam/eval/encode.hpp>
#include <diffsiam/eval/pca.hpp>
#include <diffsiam/model/autoencoder.hpp>

#include <experiments/editing/studio.hpp>

namespace experiments {

/// The functions share what they hold; z is (n, dims), pictures and rests are (n, h, w, c).
struct EditableCode {
  using Backend = B;

  std::string name;
  ds::Index dims;
  bool revealed_in_training;  ///< its decoder has learned to read the first subsets alone, the others 0
  std::function<ds::Tensor<B>(ds::Tensor<B> const& images)> encode;
  std::function<ds::Tensor<B>(ds::Tensor<B> const& images, ds::Tensor<B> const& z)> rest_of;
  std::function<ds::Tensor<B>(ds::Tensor<B> const& rest, ds::Tensor<B> const& z)> decode;
  std::function<ds::Tensor<B>(ds::Tensor<B> const& z)>
      decode_alone;  ///< from random x_T, or without difference

  [[nodiscard]] ds::Tensor<B> operator()(ds::Tensor<B> const& images) const { return encode(images); }
  [[nodiscard]] ds::Index latent_dims() const { return dims; }
};

[[nodiscard]] inline EditableCode diffusion_code(Studio const& studio, TrainedMethod const& method) {
  return {.name = method.name,
          .dims = method.model.encoder().latent_dims(),
          .revealed_in_training = method.model.partition().subsets() > 1,
          .encode = [method](ds::Tensor<B> const& images) { return method.model.encode(images); },
          .rest_of =
              [&studio, method](ds::Tensor<B> const& images, ds::Tensor<B> const& z) {
                return method.model.infer_noise(images, z, studio.grid());
              },
          .decode = [&studio, method](ds::Tensor<B> const& x_T,
                                      ds::Tensor<B> const& z) { return method.decode(studio, x_T, z); },
          .decode_alone = [&studio,
                           method](ds::Tensor<B> const& z) { return method.decode_at_random(studio, z); }};
}

namespace detail {

/// A code whose decoder makes pictures of z alone.
template <class Encode, class Decode>
[[nodiscard]] EditableCode code_with_difference(Studio const& studio, std::string name, ds::Index dims,
                                                Encode encode, Decode decode) {
  return {.name = std::move(name),
          .dims = dims,
          .revealed_in_training = false,
          .encode = std::move(encode),
          .rest_of =
              [decode](ds::Tensor<B> const& images, ds::Tensor<B> const& z) {
                return ds::ops::linear_combination(1, images, -1, decode(z));
              },
          .decode =
              [&studio, decode](ds::Tensor<B> const& difference, ds::Tensor<B> const& z) {
                auto const sum = ds::ops::linear_combination(1, difference, 1, decode(z));
                auto values = sum.values();
                for (float& value : values) value = std::clamp(value, -1.0F, 1.0F);
                return ds::Tensor<B>::from(*studio.context, sum.shape(), std::span<float const>{values});
              },
          .decode_alone = decode};
}

}  // namespace detail

[[nodiscard]] inline EditableCode autoencoder_code(Studio const& studio,
                                                   ds::model::Autoencoder<B> const& model) {
  return detail::code_with_difference(
      studio, "autoencoder", model.latent_dims(),
      [model](ds::Tensor<B> const& images) { return model.encode(images); },
      [model](ds::Tensor<B> const& z) { return model.decode(z); });
}

/// Of the pixels of `pictures`, the greatest variance first.
[[nodiscard]] inline EditableCode pca_code(Studio const& studio, ds::data::Dataset const& pictures,
                                           ds::Index dims) {
  auto const units = pictures.units();
  auto const pca = std::make_shared<ds::eval::Pca const>(ds::eval::Pca::fit(
      features_of(units, pictures.image_size()), {.components = dims}, &studio.context->threads()));
  ds::Index const pixels = pictures.image_size();
  return detail::code_with_difference(
      studio, "pca", dims,
      [&studio, pca, pixels, dims](ds::Tensor<B> const& images) {
        auto const z = (*pca)(features_of(images.values(), pixels));
        return ds::Tensor<B>::from(*studio.context, {images.shape().samples(), dims},
                                   std::span<float const>{z});
      },
      [&studio, pca, dims](ds::Tensor<B> const& z) {
        auto const values = pca->inverse(features_of(z.values(), dims));
        return ds::Tensor<B>::from(*studio.context, studio.picture_shape(z.shape().samples()),
                                   std::span<float const>{values});
      });
}

}  // namespace experiments
