// Shapes of any rank and names as files have them: the bytes that a shape needs, and how errors show both.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include <diffsiam/io/dtype.hpp>

namespace diffsiam::io::detail {

/// A name from a file that is not trusted, short and printable.
[[nodiscard]] inline std::string shown_name(std::string_view name) {
  constexpr std::size_t limit = 80;
  std::string shown;
  for (char const c : name.substr(0, limit)) shown += static_cast<unsigned char>(c) < 0x20 ? '?' : c;
  if (name.size() > limit) shown += "...";
  return "'" + shown + "'";
}

[[nodiscard]] inline std::string shown_shape(std::span<std::int64_t const> shape) {
  std::string shown = "[";
  for (std::size_t axis = 0; axis < shape.size(); ++axis)
    shown += (axis == 0 ? "" : ", ") + std::to_string(shape[axis]);
  return shown + "]";
}

/// Bytes of a tensor. Empty for 2^61 or more, and if packed elements do not fill whole bytes.
[[nodiscard]] inline std::optional<std::uint64_t> byte_count(std::span<std::int64_t const> shape,
                                                             Dtype dtype) {
  std::uint64_t bits = 1;
  for (std::int64_t const extent : shape)
    if (extent < 0 || __builtin_mul_overflow(bits, static_cast<std::uint64_t>(extent), &bits))
      return std::nullopt;
  if (__builtin_mul_overflow(bits, dtype_bits(dtype), &bits) || bits % 8 != 0) return std::nullopt;
  return bits / 8;
}

}  // namespace diffsiam::io::detail
