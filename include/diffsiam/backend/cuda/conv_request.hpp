// ConvRequest: the shape and the types of a convolution for which cuDNN is asked for a plan, and the requests
// that the backends make.
#pragma once

#include <array>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>

#include <diffsiam/backend/cuda/alignment.hpp>
#include <diffsiam/backend/cuda/math.hpp>
#include <diffsiam/core/mixed_pointer.hpp>
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
  /// The gradient of weights is added to values that are there, in the same kernel. Otherwise an output is
  /// overwritten.
  bool accumulates = false;
  /// A bias, in float32 and aligned to 16 bytes, is added to the output of a forward pass in the same kernel.
  bool has_bias = false;

  /// Whether something is added to the result before it is written.
  [[nodiscard]] constexpr bool adds() const { return accumulates || has_bias; }
  [[nodiscard]] constexpr bool in_16_bits() const {
    return x != Element::float32 || w != Element::float32 || y != Element::float32;
  }
};

/// The type of what is written.
[[nodiscard]] constexpr Element output_of(ConvRequest const& r) {
  return r.pass == Pass::forward ? r.y : r.pass == Pass::gradient_input ? r.x : r.w;
}

using ConvKey = std::array<Index, 15>;
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
          r.alignment,
          r.accumulates ? 1 : 0,
          r.has_bias ? 1 : 0};
}

/// The request for tensors that are float32 in memory. `tensors` are those that were not allocated for this
/// call.
[[nodiscard]] inline ConvRequest full_request(ConvGeometry const& g, Pass pass, Math math,
                                              std::initializer_list<void const*> tensors) {
  ConvRequest result{g, pass, math};
  result.alignment = alignment_of(tensors);
  return result;
}

/// Whether a convolution has no output, so that there is nothing to compute and no gradient to add. cuDNN and
/// cuBLASLt refuse to plan it.
[[nodiscard]] constexpr bool is_empty(ConvGeometry const& g) {
  return g.n * g.h * g.w * g.out == 0;
}

/// Whether a convolution in 16 bits is a product of two matrices as they are in memory, so that cuDNN is not
/// asked.
[[nodiscard]] constexpr bool is_product(ConvGeometry const& g) {
  return g.kernel == 1 && g.stride == 1;
}

/// Requests for one pass with operands in 16 bits. If cuDNN has no plan for `best`, it is asked for `other`;
/// `instead` says for notes() what that means.
struct MixedRequests {
  ConvRequest best;
  std::optional<ConvRequest> other;
  std::string_view instead = "own direct sums serve, which are slow";

  /// `best` with a bias, which is added in the same kernel.
  [[nodiscard]] ConvRequest with_bias() const {
    ConvRequest result = best;
    result.has_bias = true;
    return result;
  }
};
/// Operands are in C and aligned to 16 bytes. `wanted` is where the output goes. Outputs in float32 that are
/// added to something pass through aligned memory, except for gradients of weights.
template <class C>
[[nodiscard]] MixedRequests mixed_requests(ConvGeometry const& g, Pass pass,
                                           MixedPointer<float, C> const& wanted) {
  constexpr Element element = element_of<C>;
  ConvRequest narrow{g, pass, Math::tf32, element, element, element};
  narrow.alignment = alignment_of({wanted.full, wanted.low});
  if (is_low_precision(wanted)) return {narrow, std::nullopt};
  ConvRequest best = narrow;
  if (pass == Pass::gradient_weight) {
    // cuDNN has no plan that only writes a gradient of weights in float32, and few plans that add it if there
    // are one or three channels. TF32 has the bits of both 16-bit types, so nothing is rounded there.
    best.w = Element::float32;
    best.accumulates = true;
    return {best, ConvRequest{g, pass, Math::tf32}, "its operands are widened to float32"};
  }
  (pass == Pass::forward ? best.y : best.x) = Element::float32;
  return {best, narrow, "its output is made in 16 bits and widened"};
}

[[nodiscard]] constexpr std::string_view name_of(Pass pass) {
  return pass == Pass::forward          ? "conv2d"
         : pass == Pass::gradient_input ? "conv2d_gradient_input"
                                        : "conv2d_gradient_weight";
}

/// The sentence of CudaContext::notes() for a request that cuDNN has no plan for, or no algorithm of
/// cuBLASLt.
[[nodiscard]] inline std::string without_plan(ConvRequest const& r, std::string_view instead,
                                              std::string_view missing = "cuDNN has no plan") {
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
               r.has_bias ? ", bias: " : ": ",
               missing,
               "; ",
               instead});
}

}  // namespace diffsiam::backend::cuda
