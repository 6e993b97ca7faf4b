// to_tensor: the pictures of a data set as one tensor, for encoders and samplers.
#pragma once

#include <span>
#include <vector>

#include <diffsiam/data/dataset.hpp>
#include <diffsiam/tensor/tensor.hpp>

namespace diffsiam::data {

/// All pictures as floats in [-1, 1], (n, h, w, c): to_tensor<B>(context, test.slice(0, 8)). Throws what the
/// source of the set throws.
template <class B>
[[nodiscard]] Tensor<B> to_tensor(typename B::Context& context, Dataset const& pictures) {
  std::vector<float> const units = pictures.units();
  return Tensor<B>::from(context, pictures.shape(), std::span<float const>{units});
}

}  // namespace diffsiam::data
