// escape_markup: escapes text for HTML and SVG.
#pragma once

#include <string>
#include <string_view>

namespace diffsiam::report {

/// The text with < > & " ' as entities, for content and attributes. Control characters that documents must
/// not contain are removed.
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

}  // namespace diffsiam::report
