// Numbers as text for people, the same in every locale.
#pragma once

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <string>

namespace diffsiam::io {

/// The number with at most `digits` significant digits, without trailing zeros: 0.25, 1200, 1e-05.
[[nodiscard]] inline std::string format_number(double value, int digits = 6) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "infinity" : "-infinity";
  std::array<char, 64> buffer{};
  auto const end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value + 0.0,
                                 std::chars_format::general, std::clamp(digits, 1, 17));
  return {buffer.data(), end.ptr};
}

/// The number with exactly `decimals` digits after the point, for columns of tables and coordinates.
[[nodiscard]] inline std::string format_fixed(double value, int decimals) {
  if (!std::isfinite(value) || std::abs(value) >= 1e15) return format_number(value);
  std::array<char, 64> buffer{};
  auto const end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value,
                                 std::chars_format::fixed, std::clamp(decimals, 0, 17));
  std::string text(buffer.data(), end.ptr);
  // "-0.00" becomes "0.00".
  return text.starts_with('-') && text.find_first_not_of("-0.") == std::string::npos ? text.substr(1) : text;
}

}  // namespace diffsiam::io
