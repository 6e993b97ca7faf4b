// Elements of SVG for charts and heat maps. Units are those of the view box, about one CSS pixel each.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>

#include <diffsiam/io/format_number.hpp>
#include <diffsiam/report/markup.hpp>

namespace diffsiam::report::detail {

/// Attributes of less important text.
inline constexpr std::string_view svg_muted = " fill-opacity=\"0.7\"";

/// An upper estimate of the width of text in 13 px. Continuation bytes of UTF-8 have no width.
[[nodiscard]] inline double svg_text_width(std::string_view text) {
  auto const letters = std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xC0) != 0x80; });
  return 7.6 * static_cast<double>(letters);
}

/// A coordinate or length as text.
[[nodiscard]] inline std::string svg_number(double value) {
  return io::format_fixed(value, 1);
}

/// `anchor` is start, middle or end; `attributes` begin with a space or are empty.
[[nodiscard]] inline std::string svg_text(double x, double y, std::string_view anchor,
                                          std::string_view content, std::string_view attributes) {
  return "<text x=\"" + svg_number(x) + "\" y=\"" + svg_number(y) + "\" text-anchor=\"" +
         std::string(anchor) + "\"" + std::string(attributes) + ">" + escape_markup(content) + "</text>";
}

[[nodiscard]] inline std::string svg_title(double y, std::string_view title) {
  return svg_text(0, y, "start", title, " font-weight=\"600\" font-size=\"15\"");
}

[[nodiscard]] inline std::string svg_rule(double x1, double y1, double x2, double y2,
                                          std::string_view attributes) {
  return "<line x1=\"" + svg_number(x1) + "\" y1=\"" + svg_number(y1) + "\" x2=\"" + svg_number(x2) +
         "\" y2=\"" + svg_number(y2) + "\"" + std::string(attributes) + "/>";
}

/// The <svg> element around `body`, with whole numbers as width and height. Text has the colour of the page.
[[nodiscard]] inline std::string svg_root(double width, double height, std::string_view label,
                                          std::string_view body) {
  std::string const w = io::format_fixed(width, 0), h = io::format_fixed(height, 0);
  return "<svg class=\"chart\" xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 " + w + " " + h +
         "\" width=\"" + w + "\" height=\"" + h + "\" role=\"img\" aria-label=\"" + escape_markup(label) +
         "\" font-family=\"system-ui, sans-serif\" font-size=\"13\" fill=\"currentColor\">" +
         std::string(body) + "</svg>";
}

}  // namespace diffsiam::report::detail
