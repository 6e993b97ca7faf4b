// The two 16-bit floats of files and accelerators: IEEE 754 binary16 (5 bits of exponent, 10 of mantissa) and
// bfloat16 (8 and 7, the upper half of a float32). Conversion to 16 bits rounds to nearest, ties to even, in
// one step from float and from double. Conversion from 16 bits is exact.
#pragma once

#include <bit>
#include <cstdint>

namespace diffsiam {

namespace detail {

/// Rounds the bits of a binary float to a smaller float of 16 bits. NaN stays NaN with the upper bits of its
/// payload, values beyond the largest finite number become infinite, very small ones become subnormal or
/// zero.
template <int from_exponent_bits, int from_mantissa_bits, int to_exponent_bits, int to_mantissa_bits>
[[nodiscard]] constexpr std::uint16_t narrow_float_bits(std::uint64_t bits) {
  constexpr int from_bias = (1 << (from_exponent_bits - 1)) - 1;
  constexpr int to_bias = (1 << (to_exponent_bits - 1)) - 1;
  constexpr int special = (1 << from_exponent_bits) - 1;
  constexpr std::uint64_t hidden_bit = std::uint64_t{1} << from_mantissa_bits;
  constexpr std::uint64_t infinity = ((std::uint64_t{1} << to_exponent_bits) - 1) << to_mantissa_bits;

  std::uint64_t const sign = ((bits >> (from_exponent_bits + from_mantissa_bits)) & 1)
                             << (to_exponent_bits + to_mantissa_bits);
  int const exponent = static_cast<int>((bits >> from_mantissa_bits) & special);
  std::uint64_t const mantissa = bits & (hidden_bit - 1);

  if (exponent == special) {
    if (mantissa == 0) return static_cast<std::uint16_t>(sign | infinity);
    std::uint64_t payload = mantissa >> (from_mantissa_bits - to_mantissa_bits);
    if (payload == 0) payload = std::uint64_t{1} << (to_mantissa_bits - 1);  // else it would read as infinity
    return static_cast<std::uint16_t>(sign | infinity | payload);
  }

  // value = significand * 2^(exponent - bias - mantissa_bits). Subnormals have exponent 1 and no hidden bit.
  std::uint64_t const significand = exponent == 0 ? mantissa : mantissa | hidden_bit;
  int target = (exponent == 0 ? 1 : exponent) - from_bias + to_bias;
  int shift = from_mantissa_bits - to_mantissa_bits;
  if (target < 1) {
    shift += 1 - target;
    target = 1;
  }
  if (shift > from_mantissa_bits + 1)
    return static_cast<std::uint16_t>(sign);  // under half the least subnormal

  std::uint64_t rounded = significand >> shift;
  std::uint64_t const rest = significand & ((std::uint64_t{1} << shift) - 1);
  std::uint64_t const tie = std::uint64_t{1} << (shift - 1);
  if (rest > tie || (rest == tie && (rounded & 1) != 0)) ++rounded;
  if (target >= (1 << to_exponent_bits)) return static_cast<std::uint16_t>(sign | infinity);
  // The hidden bit of `rounded`, and a carry out of it, increment the exponent.
  std::uint64_t const result = (static_cast<std::uint64_t>(target - 1) << to_mantissa_bits) + rounded;
  return static_cast<std::uint16_t>(sign | (result < infinity ? result : infinity));
}

}  // namespace detail

/// The binary16 nearest to `value`, as bits. Infinity beyond 65504 (from 65520 on). It computes in 32
/// bits and in few steps, because kernels call it for every value.
[[nodiscard]] constexpr std::uint16_t half_bits(float value) {
  std::uint32_t const bits = std::bit_cast<std::uint32_t>(value);
  std::uint32_t const sign = (bits >> 16) & 0x8000U, magnitude = bits & 0x7fffffffU;
  std::uint32_t result = 0;
  if (magnitude > 0x7f800000U) {  // NaN, with what fits of its payload
    std::uint32_t const payload = (magnitude >> 13) & 0x3ffU;
    result = 0x7c00U | (payload == 0 ? 0x200U : payload);
  } else if (magnitude >= 0x477ff000U) {
    result = 0x7c00U;
  } else if (magnitude < 0x38800000U) {  // subnormal: 0.5 has the same last bit, so the sum rounds to it
    result = std::bit_cast<std::uint32_t>(std::bit_cast<float>(magnitude) + 0.5F) - 0x3f000000U;
  } else {
    constexpr std::uint32_t biases = (127U - 15U) << 10;
    result = ((magnitude + 0xfffU + ((magnitude >> 13) & 1U)) >> 13) - biases;
  }
  return static_cast<std::uint16_t>(sign | result);
}
[[nodiscard]] constexpr std::uint16_t half_bits(double value) {
  return detail::narrow_float_bits<11, 52, 5, 10>(std::bit_cast<std::uint64_t>(value));
}

/// The bfloat16 nearest to `value`, as bits.
[[nodiscard]] constexpr std::uint16_t bfloat16_bits(float value) {
  std::uint32_t const bits = std::bit_cast<std::uint32_t>(value), upper = bits >> 16;
  bool const is_nan = (bits & 0x7fffffffU) > 0x7f800000U;
  std::uint32_t const quiet = (upper & 0x7fU) == 0 ? upper | 0x40U : upper;  // else it would read as infinity
  return static_cast<std::uint16_t>(is_nan ? quiet : (bits + 0x7fffU + (upper & 1U)) >> 16);
}
[[nodiscard]] constexpr std::uint16_t bfloat16_bits(double value) {
  return detail::narrow_float_bits<11, 52, 8, 7>(std::bit_cast<std::uint64_t>(value));
}

/// The float with the value of these binary16 bits; exact.
[[nodiscard]] constexpr float float_from_half(std::uint16_t bits) {
  std::uint32_t const sign = (bits & 0x8000U) << 16;
  std::uint32_t const exponent = (bits >> 10) & 0x1fU;
  std::uint32_t const mantissa = bits & 0x3ffU;
  if (exponent == 0) {
    float const magnitude = static_cast<float>(mantissa) * 0x1p-24F;  // zero or subnormal
    return std::bit_cast<float>(std::bit_cast<std::uint32_t>(magnitude) | sign);
  }
  std::uint32_t const wide_exponent = exponent == 0x1fU ? 0xffU : exponent + (127 - 15);
  return std::bit_cast<float>(sign | (wide_exponent << 23) | (mantissa << 13));
}

/// The float with the value of these bfloat16 bits; exact.
[[nodiscard]] constexpr float float_from_bfloat16(std::uint16_t bits) {
  return std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16);
}

/// A bfloat16 in memory: the upper half of a float.
struct BFloat16 {
  std::uint16_t bits;  ///< sign, 8 bits of exponent, 7 of mantissa

  BFloat16() = default;  // indeterminate, as a float is
  /// Rounds to the nearest, as bfloat16_bits does.
  constexpr explicit BFloat16(float value) : bits(bfloat16_bits(value)) {}
  /// Exact.
  [[nodiscard]] constexpr explicit operator float() const { return float_from_bfloat16(bits); }
};

/// A binary16 in memory: three more bits of mantissa, and no finite number beyond 65504.
struct Half {
  std::uint16_t bits;  ///< sign, 5 bits of exponent, 10 of mantissa

  Half() = default;
  /// Rounds to the nearest, as half_bits does: infinite from 65520 on.
  constexpr explicit Half(float value) : bits(half_bits(value)) {}
  /// Exact.
  [[nodiscard]] constexpr explicit operator float() const { return float_from_half(bits); }
};

}  // namespace diffsiam
