// Text inside HTML and SVG: escaping, and numbers as people write them.
#pragma once

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <string>
#include <string_view>

namespace diffsiam::io {

/// The text with < > & " ' as entities, fit for content and attributes; control characters that no document
/// may hold are dropped.
[[nodiscard]] inline std::string escape_markup(std::string_view text) {
  std::string result;
  result.reserve(text.size());
  for (char const c : text) {
    switch (c) {
      case '<':
        result += "&lt;";
        break;
      case '>':
        result += "&gt;";
        break;
      case '&':
        result += "&amp;";
        break;
      case '"':
        result += "&quot;";
        break;
      case '\'':
        result += "&#39;";
        break;
      default:
        if (static_cast<unsigned char>(c) >= 0x20 || c == '\n' || c == '\t') result += c;
    }
  }
  return result;
}

/// The number with `digits` significant digits and no trailing zeros: 0.25, 1200, 1e-05. The same in every
/// locale.
[[nodiscard]] inline std::string format_number(double value, int digits = 6) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "infinity" : "-infinity";
  std::array<char, 64> buffer{};
  auto const end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value + 0.0,
                                 std::chars_format::general, std::clamp(digits, 1, 17));
  return {buffer.data(), end.ptr};
}

/// The number with exactly `decimals` digits after the point, as columns of a table and coordinates want it.
[[nodiscard]] inline std::string format_fixed(double value, int decimals) {
  if (!std::isfinite(value) || std::abs(value) >= 1e15) return format_number(value);
  std::array<char, 64> buffer{};
  auto const end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value,
                                 std::chars_format::fixed, std::clamp(decimals, 0, 17));
  std::string text(buffer.data(), end.ptr);
  // "-0.00" is zero.
  return text.starts_with('-') && text.find_first_not_of("-0.") == std::string::npos ? text.substr(1) : text;
}

}  // namespace diffsiam::io
