// ConvRequest: the shape and the types of a convolution for which cuDNN is asked for a plan.
#pragma once

#include <array>
#include <string>
#include <string_view>

#include <diffsiam/backend/cuda/math.hpp>
#include <diffsiam/core/products.hpp>
#include <diffsiam/core/text.hpp>

namespace diffsiam::backend::cuda {

/// The convolution and its two gradients.
enum class Pass { forward, gradient_input, gradient_weight };

/// The tensors of a pass are an image, weights and an output, or gradients of them. Sums are float32.
struct ConvRequest {
  ConvGeometry g;
  Pass pass = Pass::forward;
  Math math = Math::float32;
  Element x = Element::float32, w = Element::float32, y = Element::float32;
  Index alignment = 16;  ///< of all three tensors, in bytes, at most 16; plans read several values at a time

  [[nodiscard]] constexpr bool in_16_bits() const {
    return x != Element::float32 || w != Element::float32 || y != Element::float32;
  }
};

using ConvKey = std::array<Index, 13>;
[[nodiscard]] constexpr ConvKey key_of(ConvRequest const& r) {
  return {static_cast<Index>(r.pass),
          static_cast<Index>(r.math),
          static_cast<Index>(r.x),
          static_cast<Index>(r.w),
          static_cast<Index>(r.y),
          r.g.n,
          r.g.h,
          r.g.w,
          r.g.in,
          r.g.out,
          r.g.kernel,
          r.g.stride,
          r.alignment};
}

[[nodiscard]] constexpr std::string_view name_of(Pass pass) {
  return pass == Pass::forward          ? "conv2d"
         : pass == Pass::gradient_input ? "conv2d_gradient_input"
                                        : "conv2d_gradient_weight";
}

/// The sentence of CudaContext::notes() for a request that cuDNN has no plan for.
[[nodiscard]] inline std::string without_plan(ConvRequest const& r, std::string_view instead) {
  ConvGeometry const& g = r.g;
  return text({name_of(r.pass),
               " of (",
               g.n,
               ", ",
               g.h,
               ", ",
               g.w,
               ", ",
               g.in,
               ") to ",
               g.out,
               " channels, kernel ",
               g.kernel,
               ", stride ",
               g.stride,
               ", image ",
               name_of(r.x),
               ", weights ",
               name_of(r.w),
               ", output ",
               name_of(r.y),
               ": cuDNN has no plan; ",
               instead});
}

}  // namespace diffsiam::backend::cuda
