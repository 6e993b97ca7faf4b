// Element types of stored tensors, named as safetensors names them, and the conversion between their bytes
// (little-endian) and float, double or int64. Narrowing rounds to nearest even; what is no whole number, or
// beyond an integer's range, is refused rather than cut.
#pragma once

#include <array>
#include <bit>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>

#include <diffsiam/core/error.hpp>
#include <diffsiam/core/half.hpp>

namespace diffsiam::io {

static_assert(std::endian::native == std::endian::little,
              "diffsiam::io stores bytes in little-endian order.");

enum class Dtype { F16, BF16, F32, F64, I64, I32, U8 };

inline constexpr std::array<Dtype, 7> all_dtypes{Dtype::F16, Dtype::BF16, Dtype::F32, Dtype::F64,
                                                 Dtype::I64, Dtype::I32,  Dtype::U8};

[[nodiscard]] constexpr std::string_view dtype_name(Dtype dtype) {
  constexpr std::array<std::string_view, 7> names{"F16", "BF16", "F32", "F64", "I64", "I32", "U8"};
  return names[static_cast<std::size_t>(dtype)];
}

/// Bytes of one element.
[[nodiscard]] constexpr std::size_t dtype_size(Dtype dtype) {
  constexpr std::array<std::size_t, 7> sizes{2, 2, 4, 8, 8, 4, 1};
  return sizes[static_cast<std::size_t>(dtype)];
}

/// The dtype of that name, if it is one of ours.
[[nodiscard]] constexpr std::optional<Dtype> dtype_from_name(std::string_view name) {
  for (Dtype const dtype : all_dtypes)
    if (dtype_name(dtype) == name) return dtype;
  return std::nullopt;
}

/// What a stored tensor is read into or written from.
template <class T>
concept ElementValue = std::same_as<T, float> || std::same_as<T, double> || std::same_as<T, std::int64_t>;

namespace detail {

/// `value` as an integer type, or nothing when that would change it.
template <std::integral To, class From>
[[nodiscard]] std::optional<To> exact_integer(From value) {
  if constexpr (std::is_floating_point_v<From>) {
    // The bounds are powers of two, hence exact in From; the upper one is already outside. NaN fails both.
    From const upper = std::ldexp(From{1}, std::numeric_limits<To>::digits);
    From const lower = std::is_signed_v<To> ? -upper : From{0};
    if (!(value >= lower && value < upper) || value != std::trunc(value)) return std::nullopt;
  } else {
    if (value < std::numeric_limits<To>::min() || value > std::numeric_limits<To>::max()) return std::nullopt;
  }
  return static_cast<To>(value);
}

template <std::integral To, class From>
[[nodiscard]] To require_integer(From value, std::string_view operation, std::string_view what) {
  std::optional<To> const exact = exact_integer<To>(value);
  if (!exact)
    fail<FileError>(operation,
                    "whole numbers of " + std::to_string(sizeof(To) * 8) + " bits in " + std::string(what),
                    value);
  return *exact;
}

/// out[i] = convert(element i of `bytes`, read as Stored).
template <class Stored, class T, class Convert>
void decode_each(std::span<std::byte const> bytes, std::span<T> out, Convert convert) {
  for (std::size_t i = 0; i < out.size(); ++i) {
    Stored stored;
    std::memcpy(&stored, bytes.data() + i * sizeof(Stored), sizeof(Stored));  // files promise no alignment
    out[i] = convert(stored);
  }
}

template <class Stored, class T, class Convert>
void encode_each(std::span<T const> values, std::span<std::byte> out, Convert convert) {
  for (std::size_t i = 0; i < values.size(); ++i) {
    Stored const stored = convert(values[i]);
    std::memcpy(out.data() + i * sizeof(Stored), &stored, sizeof(Stored));
  }
}

}  // namespace detail

/// Converts out.size() elements. `bytes` holds exactly as many of type `dtype`; `what` names them in errors.
template <ElementValue T>
void decode_elements(Dtype dtype, std::span<std::byte const> bytes, std::span<T> out,
                     std::string_view operation, std::string_view what) {
  auto const convert = [&](auto stored) {
    if constexpr (std::is_floating_point_v<T> || std::is_integral_v<decltype(stored)>)
      return static_cast<T>(stored);
    else
      return detail::require_integer<T>(stored, operation, what);
  };
  switch (dtype) {
    case Dtype::F16:
      return detail::decode_each<std::uint16_t>(
          bytes, out, [&](std::uint16_t bits) { return convert(float_from_half(bits)); });
    case Dtype::BF16:
      return detail::decode_each<std::uint16_t>(
          bytes, out, [&](std::uint16_t bits) { return convert(float_from_bfloat16(bits)); });
    case Dtype::F32:
      return detail::decode_each<float>(bytes, out, convert);
    case Dtype::F64:
      return detail::decode_each<double>(bytes, out, convert);
    case Dtype::I64:
      return detail::decode_each<std::int64_t>(bytes, out, convert);
    case Dtype::I32:
      return detail::decode_each<std::int32_t>(bytes, out, convert);
    case Dtype::U8:
      return detail::decode_each<std::uint8_t>(bytes, out, convert);
  }
}

/// Converts every value to `dtype`; `out` has room for exactly as many.
template <ElementValue T>
void encode_elements(Dtype dtype, std::span<T const> values, std::span<std::byte> out,
                     std::string_view operation, std::string_view what) {
  // 16-bit floats are rounded once, from the type that came; int64 goes by way of double.
  auto const real = [](T value) {
    if constexpr (std::is_integral_v<T>)
      return static_cast<double>(value);
    else
      return value;
  };
  auto const integer = [&]<class To>(To, T value) {
    return detail::require_integer<To>(value, operation, what);
  };
  switch (dtype) {
    case Dtype::F16:
      return detail::encode_each<std::uint16_t>(values, out, [&](T value) { return half_bits(real(value)); });
    case Dtype::BF16:
      return detail::encode_each<std::uint16_t>(values, out,
                                                [&](T value) { return bfloat16_bits(real(value)); });
    case Dtype::F32:
      return detail::encode_each<float>(values, out, [](T value) { return static_cast<float>(value); });
    case Dtype::F64:
      return detail::encode_each<double>(values, out, [](T value) { return static_cast<double>(value); });
    case Dtype::I64:
      return detail::encode_each<std::int64_t>(values, out,
                                               [&](T value) { return integer(std::int64_t{}, value); });
    case Dtype::I32:
      return detail::encode_each<std::int32_t>(values, out,
                                               [&](T value) { return integer(std::int32_t{}, value); });
    case Dtype::U8:
      return detail::encode_each<std::uint8_t>(values, out,
                                               [&](T value) { return integer(std::uint8_t{}, value); });
  }
}

}  // namespace diffsiam::io
