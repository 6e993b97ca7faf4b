// Converts stored elements to float, double or integers, and back. Bytes are little-endian, and 16-bit floats
// are rounded to nearest even. Numbers that would become infinite and integers that would change are refused.
#pragma once

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
#include <utility>

#include <diffsiam/core/error.hpp>
#include <diffsiam/core/half.hpp>
#include <diffsiam/io/dtype.hpp>
#include <diffsiam/io/format_number.hpp>

namespace diffsiam::io {

static_assert(std::endian::native == std::endian::little,
              "diffsiam::io stores bytes in little-endian order.");

/// The types that stored tensors are read into and written from.
template <class T>
concept ElementValue = std::same_as<T, float> || std::same_as<T, double> || std::same_as<T, std::int64_t> ||
                       std::same_as<T, std::int32_t> || std::same_as<T, std::uint8_t>;

namespace detail {

/// A stored BOOL; zero is false.
struct Truth {
  std::uint8_t byte;
};

/// The number of a stored element.
template <class Stored>
[[nodiscard]] auto number_of(Stored stored) {
  if constexpr (std::is_same_v<Stored, Truth>)
    return static_cast<std::uint8_t>(stored.byte != 0);
  else if constexpr (std::is_arithmetic_v<Stored>)
    return stored;
  else
    return static_cast<float>(stored);
}

/// `value` as an integer type; empty if that would change it.
template <std::integral To, class From>
[[nodiscard]] std::optional<To> exact_integer(From value) {
  if constexpr (std::is_floating_point_v<From>) {
    // The bounds are powers of two and so exact in From; the upper one is outside the range. NaN fails both
    // tests.
    From const upper = std::ldexp(From{1}, std::numeric_limits<To>::digits);
    From const lower = std::is_signed_v<To> ? -upper : From{0};
    if (!(value >= lower && value < upper) || value != std::trunc(value)) return std::nullopt;
  } else {
    if (!std::in_range<To>(value)) return std::nullopt;
  }
  return static_cast<To>(value);
}

/// The 16-bit float nearest to `value`. It is rounded only once, from the original type.
template <class Narrow, std::floating_point From>
[[nodiscard]] Narrow narrowed(From value) {
  Narrow result;
  if constexpr (std::is_same_v<Narrow, Half>)
    result.bits = half_bits(value);
  else
    result.bits = bfloat16_bits(value);
  return result;
}

template <class Stored>
[[nodiscard]] bool is_infinite(Stored stored) {
  if constexpr (std::is_same_v<Stored, Half>)
    return (stored.bits & 0x7fffU) == 0x7c00U;
  else if constexpr (std::is_same_v<Stored, BFloat16>)
    return (stored.bits & 0x7fffU) == 0x7f80U;
  else
    return std::isinf(stored);
}

/// Whether the number of `stored` is finite and in the range of T.
template <std::floating_point T, class Stored>
[[nodiscard]] bool is_finite_as(Stored stored) {
  if constexpr (std::is_same_v<Stored, Half>)
    return (stored.bits & 0x7c00U) != 0x7c00U;
  else if constexpr (std::is_same_v<Stored, BFloat16>)
    return (stored.bits & 0x7f80U) != 0x7f80U;
  else
    return std::abs(static_cast<T>(number_of(stored))) <= std::numeric_limits<T>::max();
}

/// `value` as a stored or read type; empty if that is impossible. Floats are rounded, but not to infinity;
/// integers must not change.
template <class To, class From>
[[nodiscard]] std::optional<To> converted(From value) {
  if constexpr (std::is_same_v<To, From>) {
    return value;
  } else if constexpr (std::is_same_v<To, Truth>) {
    std::optional<std::uint8_t> const byte = exact_integer<std::uint8_t>(value);
    return byte && *byte <= 1 ? std::optional(Truth{*byte}) : std::nullopt;
  } else if constexpr (std::is_integral_v<To>) {
    return exact_integer<To>(value);
  } else {
    To result;
    if constexpr (std::is_floating_point_v<To>)
      result = static_cast<To>(value);
    else if constexpr (std::is_floating_point_v<From>)
      result = narrowed<To>(value);
    else
      result = narrowed<To>(static_cast<double>(value));
    if constexpr (std::is_integral_v<From>) {
      if (exact_integer<From>(number_of(result)) != value) return std::nullopt;
    } else if constexpr (sizeof(To) < sizeof(From)) {
      if (is_infinite(result) && !std::isinf(value)) return std::nullopt;
    }
    return result;
  }
}

/// Calls f(std::type_identity<Stored>()) with the type in which elements of `dtype` are stored. Does nothing
/// for an opaque dtype.
template <class F>
void with_stored_type(Dtype dtype, F const& f) {
  switch (dtype) {
    case Dtype::F16:
      return f(std::type_identity<Half>());
    case Dtype::BF16:
      return f(std::type_identity<BFloat16>());
    case Dtype::F32:
      return f(std::type_identity<float>());
    case Dtype::F64:
      return f(std::type_identity<double>());
    case Dtype::BOOL:
      return f(std::type_identity<Truth>());
    case Dtype::U8:
      return f(std::type_identity<std::uint8_t>());
    case Dtype::I8:
      return f(std::type_identity<std::int8_t>());
    case Dtype::U16:
      return f(std::type_identity<std::uint16_t>());
    case Dtype::I16:
      return f(std::type_identity<std::int16_t>());
    case Dtype::U32:
      return f(std::type_identity<std::uint32_t>());
    case Dtype::I32:
      return f(std::type_identity<std::int32_t>());
    case Dtype::U64:
      return f(std::type_identity<std::uint64_t>());
    case Dtype::I64:
      return f(std::type_identity<std::int64_t>());
    default:
      return;
  }
}

template <ElementValue T>
[[nodiscard]] constexpr Dtype dtype_of() {
  if constexpr (std::is_same_v<T, float>) return Dtype::F32;
  if constexpr (std::is_same_v<T, double>) return Dtype::F64;
  if constexpr (std::is_same_v<T, std::int32_t>) return Dtype::I32;
  if constexpr (std::is_same_v<T, std::uint8_t>) return Dtype::U8;
  return Dtype::I64;
}

/// "1e+39 at index 3".
template <class T>
[[nodiscard]] std::string shown_element(T value, std::size_t index) {
  std::string number;
  if constexpr (std::is_integral_v<T>)
    number = std::to_string(value);
  else
    number = format_number(static_cast<double>(value));
  return number + " at index " + std::to_string(index);
}

/// Throws FileError. `what` names the tensor, `as` is the type that its elements cannot be converted to.
template <class T>
[[noreturn]] void refuse_element(std::string_view operation, std::string_view what, Dtype as, T value,
                                 std::size_t index) {
  std::string const expected = dtype_kind(as) == DtypeKind::floating
                                   ? "numbers that " + std::string(dtype_name(as)) + " can hold"
                                   : "whole numbers that " + std::string(dtype_name(as)) + " can hold";
  fail<FileError>(operation, expected + " in " + std::string(what), shown_element(value, index));
}

inline void require_numbers(Dtype dtype, std::string_view operation, std::string_view what) {
  if (dtype_kind(dtype) == DtypeKind::opaque)
    fail<FileError>(operation, {"a dtype that is converted to numbers in ", what}, dtype_name(dtype),
                    "floats of 16 bits and more, integers and BOOL are");
}

}  // namespace detail

/// Converts out.size() elements of type `dtype` in `bytes`; `what` names them in errors. Throws FileError for
/// an opaque dtype, and for a number that T cannot hold, with its index.
template <ElementValue T>
void decode_elements(Dtype dtype, std::span<std::byte const> bytes, std::span<T> out,
                     std::string_view operation, std::string_view what) {
  detail::require_numbers(dtype, operation, what);
  detail::with_stored_type(dtype, [&]<class Stored>(std::type_identity<Stored>) {
    for (std::size_t i = 0; i < out.size(); ++i) {
      Stored stored;
      std::memcpy(&stored, bytes.data() + i * sizeof(Stored), sizeof(Stored));  // the data may be unaligned
      auto const number = detail::number_of(stored);
      std::optional<T> const value = detail::converted<T>(number);
      if (!value) detail::refuse_element(operation, what, detail::dtype_of<T>(), number, i);
      out[i] = *value;
    }
  });
}

/// Throws FileError unless all elements are finite and in the range of T. `dtype` must not be opaque.
template <std::floating_point T>
void require_finite_elements(Dtype dtype, std::span<std::byte const> bytes, std::string_view operation,
                             std::string_view what) {
  detail::with_stored_type(dtype, [&]<class Stored>(std::type_identity<Stored>) {
    auto const element = [&](std::size_t i) {
      Stored stored;
      std::memcpy(&stored, bytes.data() + i * sizeof(Stored), sizeof(Stored));
      return stored;
    };
    std::size_t const size = bytes.size() / sizeof(Stored);
    unsigned bad = 0;  // no early exit, so that the loop is vectorised
    for (std::size_t i = 0; i < size; ++i) bad |= detail::is_finite_as<T>(element(i)) ? 0U : 1U;
    for (std::size_t i = 0; bad != 0 && i < size; ++i) {
      auto const number = detail::number_of(element(i));
      if (detail::is_finite_as<T>(element(i))) continue;
      if constexpr (std::is_floating_point_v<std::remove_const_t<decltype(number)>>)
        if (std::isfinite(number)) detail::refuse_element(operation, what, detail::dtype_of<T>(), number, i);
      fail<FileError>(operation, {"finite values in ", what}, detail::shown_element(number, i));
    }
  });
}

/// Converts all values to `dtype`; `out` must have the right size. Throws FileError as decode_elements.
template <ElementValue T>
void encode_elements(Dtype dtype, std::span<T const> values, std::span<std::byte> out,
                     std::string_view operation, std::string_view what) {
  detail::require_numbers(dtype, operation, what);
  detail::with_stored_type(dtype, [&]<class Stored>(std::type_identity<Stored>) {
    for (std::size_t i = 0; i < values.size(); ++i) {
      std::optional<Stored> const stored = detail::converted<Stored>(values[i]);
      if (!stored) detail::refuse_element(operation, what, dtype, values[i], i);
      std::memcpy(out.data() + i * sizeof(Stored), &*stored, sizeof(Stored));
    }
  });
}

}  // namespace diffsiam::io
