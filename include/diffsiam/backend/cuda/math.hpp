// Math: how products and convolutions round their operands. Element: the type of operands in memory.
// Everything else is float32.
#pragma once

#include <cstddef>
#include <string_view>

#include <diffsiam/core/half.hpp>

namespace diffsiam::backend::cuda {

/// Operands are rounded to TensorFloat32 (10 bits of mantissa), for tensor cores; sums are float32.
struct TF32 {};

/// The allowed error of results, relative to the largest one, compared with operands that are not rounded.
/// Tensor cores may truncate to 10 bits, 1e-3, and products of products add up such errors, to 2.1e-3
/// (tests/conformance/cuda_tf32.test.cpp).
inline constexpr double tf32_tolerance = 5e-3;

/// For operands that are float32 in memory.
enum class Math { float32, tf32 };

enum class Element { float32, bfloat16, float16 };

template <class T>
inline constexpr Element element_of = Element::float32;
template <>
inline constexpr Element element_of<BFloat16> = Element::bfloat16;
template <>
inline constexpr Element element_of<Half> = Element::float16;

[[nodiscard]] constexpr std::size_t bytes_of(Element element) {
  return element == Element::float32 ? sizeof(float) : sizeof(Half);
}
[[nodiscard]] constexpr std::string_view name_of(Element element) {
  return element == Element::float32 ? "float32" : element == Element::bfloat16 ? "bfloat16" : "float16";
}

}  // namespace diffsiam::backend::cuda
