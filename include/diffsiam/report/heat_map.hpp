// Heat maps as inline SVG: a table in shades of one colour, with marks on its rows. They can be read on light
// and dark backgrounds like charts. A shade is the colour with some opacity over the background, so that text
// and marks in the text colour of the page are visible on every shade.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <diffsiam/core/error.hpp>
#include <diffsiam/report/axis.hpp>
#include <diffsiam/report/svg.hpp>

namespace diffsiam::report {

/// The shape of a mark.
enum class MarkShape { triangle, circle };  ///< filled; hollow, so that a triangle inside is visible

/// One mark on each row. Positions are in columns: 0 is the left edge of the first column, 1.5 the middle of
/// the second, the number of columns the right edge of the last. NaN means no mark on this row.
struct HeatMapMarks {
  std::string name{};  ///< for the legend
  MarkShape shape = MarkShape::triangle;
  std::vector<double> at{};  ///< a position for each row
};

/// A table of values with names for its rows and columns.
struct HeatMap {
  std::string title{};                 ///< plain text; empty: none
  std::string x_label{};               ///< what the columns are
  std::vector<std::string> rows{};     ///< names, from top to bottom
  std::vector<std::string> columns{};  ///< labels; some are left out if there is too little space
  std::vector<double> values{};        ///< (rows, columns), row-major; NaN leaves its cell empty
  double low = 0;                      ///< values up to this one have the lightest shade
  double high = 1;                     ///< values from this one on have the strongest shade
  std::string value_label{};           ///< what the values are, for the legend
  std::optional<int> decimals{};       ///< if set, the values are written into the cells
  std::vector<HeatMapMarks> marks{};   ///< drawn over the cells
};

/// The colour of all shades.
inline constexpr std::string_view heat_map_colour = "#3b82c4";

/// The opacity of the colour for a value in [low, high]. Text on the strongest shade has a contrast of at
/// least 4.5.
[[nodiscard]] inline double heat_map_opacity(double value, double low, double high) {
  return 0.06 + 0.7 * std::clamp((value - low) / (high - low), 0.0, 1.0);
}

namespace detail {

/// Draws one heat map into a string. Units are those of the view box, about one CSS pixel each.
class HeatMapPainter {
 public:
  explicit HeatMapPainter(HeatMap const& map) : map_(map) {
    require_fit();
    for (std::string const& name : map.rows) left_ = std::max(left_, 16 + svg_text_width(name));
    double least = 16;
    if (map.decimals)
      for (double const value : map.values)
        if (!std::isnan(value))
          least = std::max(least, 4 + svg_text_width(io::format_fixed(value, *map.decimals)));
    auto const columns = static_cast<double>(std::max<std::size_t>(1, map.columns.size()));
    cell_ = std::max(least, std::min(64.0, (480 - margin - left_) / columns));
    width_ = std::max(480.0, left_ + columns * cell_ + margin);
    row_ = !map.decimals ? 22 : map.marks.empty() ? 24 : 32;
  }

  [[nodiscard]] std::string paint() {
    std::string body;
    double cursor = 4;
    if (!map_.title.empty()) {
      cursor += 14;
      body += svg_title(cursor, map_.title);
      cursor += 6;
    }
    bool const empty = map_.values.empty();
    body += empty ? "" : legend(cursor);
    top_ = cursor + 10;
    double const bottom = top_ + row_ * static_cast<double>(std::max<std::size_t>(1, map_.rows.size()));
    body += cells() + labels(bottom);
    for (HeatMapMarks const& marks : map_.marks) body += row_marks(marks);
    if (empty) body += svg_text(width_ / 2, bottom - row_ / 2, "middle", "no data", svg_muted);
    return svg_root(width_, bottom + (map_.x_label.empty() ? 22 : 42),
                    map_.title.empty() ? "heat map" : map_.title, body);
  }

 private:
  static constexpr double margin = 8;     ///< space for half a mark at the right edge
  static constexpr double name_gap = 10;  ///< and at the left edge

  void require_fit() const {
    std::size_t const rows = map_.rows.size(), columns = map_.columns.size();
    if (map_.values.size() != rows * columns)
      fail<ShapeError>("render_heat_map",
                       {rows * columns, " values of ", rows, " rows and ", columns, " columns"},
                       map_.values.size());
    if (!(map_.high > map_.low) || !std::isfinite(map_.high - map_.low))
      fail<RangeError>("render_heat_map", "low below high, both finite",
                       {io::format_number(map_.low), " and ", io::format_number(map_.high)});
    for (HeatMapMarks const& marks : map_.marks) {
      if (marks.at.size() != rows)
        fail<ShapeError>("render_heat_map", {"marks '", marks.name, "' for ", rows, " rows"},
                         marks.at.size());
      for (double const at : marks.at)
        if (at < 0 || at > static_cast<double>(columns))
          fail<RangeError>("render_heat_map", {"marks '", marks.name, "' at positions in [0, ", columns, "]"},
                           io::format_number(at));
    }
  }

  [[nodiscard]] double place_x(double column) const { return left_ + column * cell_; }
  [[nodiscard]] double place_y(std::size_t row) const { return top_ + static_cast<double>(row) * row_; }

  /// There is one pixel between cells, so that equal neighbours can be counted.
  [[nodiscard]] static std::string cell(double x, double y, double width, double height, double opacity) {
    return "<rect x=\"" + svg_number(x) + "\" y=\"" + svg_number(y) + "\" width=\"" + svg_number(width) +
           "\" height=\"" + svg_number(height) + "\" fill-opacity=\"" + io::format_fixed(opacity, 3) + "\"/>";
  }
  [[nodiscard]] static std::string coloured(std::string_view cells) {
    return "<g fill=\"" + std::string(heat_map_colour) + "\">" + std::string(cells) + "</g>";
  }

  [[nodiscard]] std::string cells() const {
    std::string shades, texts;
    for (std::size_t r = 0; r < map_.rows.size(); ++r)
      for (std::size_t c = 0; c < map_.columns.size(); ++c) {
        double const value = map_.values[r * map_.columns.size() + c];
        if (std::isnan(value)) continue;
        double const x = place_x(static_cast<double>(c)), y = place_y(r);
        shades += cell(x + 0.5, y + 0.5, cell_ - 1, row_ - 1, heat_map_opacity(value, map_.low, map_.high));
        if (map_.decimals)
          texts += svg_text(x + cell_ / 2, y + (map_.marks.empty() ? row_ / 2 + 4 : 14), "middle",
                            io::format_fixed(value, *map_.decimals), "");
      }
    return coloured(shades) + (texts.empty() ? "" : "<g font-size=\"11\">" + texts + "</g>");
  }

  /// The names of the rows, the labels of the columns, and the label of the x axis.
  [[nodiscard]] std::string labels(double bottom) const {
    std::string result;
    for (std::size_t r = 0; r < map_.rows.size(); ++r)
      result += svg_text(left_ - name_gap, place_y(r) + row_ / 2 + 4, "end", map_.rows[r], "");
    double widest = 0;
    for (std::string const& label : map_.columns) widest = std::max(widest, svg_text_width(label));
    auto const stride = static_cast<std::size_t>(std::max(1.0, std::ceil((widest + 2) / cell_)));
    for (std::size_t c = 0; c < map_.columns.size(); c += stride)
      result +=
          svg_text(place_x(static_cast<double>(c) + 0.5), bottom + 15, "middle", map_.columns[c], svg_muted);
    if (!map_.x_label.empty()) {
      double const centre = (left_ + place_x(static_cast<double>(map_.columns.size()))) / 2;
      double const half = svg_text_width(map_.x_label) / 2;
      result += svg_text(std::max(std::min(centre, width_ - half), half), bottom + 34, "middle", map_.x_label,
                         svg_muted);
    }
    return result;
  }

  [[nodiscard]] static std::string mark(MarkShape shape, double x, double y) {
    if (shape == MarkShape::circle)
      return "<circle cx=\"" + svg_number(x) + "\" cy=\"" + svg_number(y) +
             "\" r=\"6\" fill=\"none\" stroke=\"currentColor\" stroke-width=\"1.75\"/>";
    return "<path d=\"M" + svg_number(x - 4) + " " + svg_number(y + 3) + "h8l-4 -7z\"/>";
  }
  [[nodiscard]] std::string row_marks(HeatMapMarks const& marks) const {
    std::string result;
    double const below = map_.decimals ? row_ - 9 : row_ / 2;  // below text in the cell
    for (std::size_t r = 0; r < marks.at.size(); ++r)
      if (!std::isnan(marks.at[r])) result += mark(marks.shape, place_x(marks.at[r]), place_y(r) + below);
    return result;
  }

  /// The shades from low to high, then the marks, in rows as they fit. Moves `cursor` below them.
  [[nodiscard]] std::string legend(double& cursor) const {
    constexpr int steps = 12;
    constexpr double step = 7;
    std::string const low = io::format_number(map_.low, 3), high = io::format_number(map_.high, 3);
    cursor += 17;
    double x = svg_text_width(low) + 4;
    std::string shades;
    for (int i = 0; i < steps; ++i)
      shades += cell(x + step * i, cursor - 10, step, 11, heat_map_opacity(i, 0, steps - 1));
    std::string result = svg_text(0, cursor, "start", low, svg_muted) + coloured(shades);
    x += step * steps + 5;
    result += svg_text(x, cursor, "start", high, svg_muted);
    x += svg_text_width(high) + 8;
    result += svg_text(x, cursor, "start", map_.value_label, "");
    x += svg_text_width(map_.value_label) + 14;
    for (HeatMapMarks const& marks : map_.marks) {
      double const width = 18 + svg_text_width(marks.name) + 14;
      if (x > 0 && x + width > width_) {
        x = 0;
        cursor += 17;
      }
      result += mark(marks.shape, x + 7, cursor - 4) + svg_text(x + 18, cursor, "start", marks.name, "");
      x += width;
    }
    return result;
  }

  HeatMap const& map_;
  double left_ = 30;
  double top_ = 0;
  double cell_ = 0;   ///< width of a column
  double row_ = 0;    ///< height of a row
  double width_ = 0;  ///< of the picture
};

}  // namespace detail

/// The heat map as an <svg> element, 480 wide or wider if its cells need it, for HTML. Throws ShapeError if
/// values or marks do not fit rows and columns, RangeError for a mark outside the columns and unless low <
/// high, both finite.
[[nodiscard]] inline std::string render_heat_map(HeatMap const& map) {
  return detail::HeatMapPainter(map).paint();
}

}  // namespace diffsiam::report
