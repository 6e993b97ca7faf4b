// The gradient of a convolution's image for any backend, added to an earlier gradient where the backend does
// that.
#pragma once

#include <diffsiam/concepts/backend_options.hpp>
#include <diffsiam/core/products.hpp>

namespace diffsiam::composed {

/// dx += the gradient of the image; a dx in low precision is overwritten, by the sum with `earlier` if that
/// is not null. It is null unless B adds to low precision.
template <class B, class T = typename B::Scalar>
void conv2d_gradient_input(typename B::Context& context, ConvGeometry const& g, backend::ReadBy<B> const& dy,
                           T const* w, backend::WrittenBy<B> const& dx,
                           [[maybe_unused]] backend::ReadBy<B> const& earlier) {
  if constexpr (backend::AddsToLowPrecision<B>)
    B::conv2d_gradient_input(context, g, dy, w, dx, earlier);
  else
    B::conv2d_gradient_input(context, g, dy, w, dx);
}

}  // namespace diffsiam::composed
