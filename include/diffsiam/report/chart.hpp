// Line charts as inline SVG, with a few named series. They can be read on light and dark backgrounds and need
// no script or style sheet: lines have medium tones, everything else has the text colour of the page
// (currentColor).
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <diffsiam/core/error.hpp>
#include <diffsiam/report/axis.hpp>
#include <diffsiam/report/svg.hpp>

namespace diffsiam::report {

/// One line, y over x; both have the same length. The line is interrupted where x or y is not finite.
/// `name` is its text in the legend; `x` and `y` are its points.
struct Series {
  std::string name{};
  std::vector<double> x{};
  std::vector<double> y{};
};

/// A line chart.
/// `title`, `x_label` and `y_label` are plain text and may be empty; `series` are drawn in their order.
struct Chart {
  std::string title{};
  std::string x_label{};
  std::string y_label{};
  bool log_y = false;    ///< a logarithmic y axis; values that are not positive are left out
  bool markers = false;  ///< a dot at every point; for a few measured values
  std::vector<Series> series{};
};

/// Colours with a contrast of at least 3 to white and to #14161a. They are used in turn; from the second
/// round on lines are dashed.
inline constexpr std::array<std::string_view, 8> chart_colours{"#3b82c4", "#d0651f", "#2b9a6b", "#c2519b",
                                                               "#a4841d", "#7a6fd6", "#2f95a8", "#d0504f"};

namespace detail {

/// Draws one chart into a string. Units are those of the view box, about one CSS pixel each.
class ChartPainter {
 public:
  explicit ChartPainter(Chart const& chart) : chart_(chart), x_(false), y_(chart.log_y) {
    for (Series const& series : chart.series) {
      if (series.x.size() != series.y.size())
        fail<ShapeError>(
            "render_chart", "as many x as y in series '" + series.name + "'",
            std::to_string(series.x.size()) + " x and " + std::to_string(series.y.size()) + " y");
      for (std::size_t i = 0; i < series.x.size(); ++i) {
        if (!visible(series, i)) continue;
        x_.include(series.x[i]);
        y_.include(series.y[i]);
        ++points_;
      }
    }
    x_.settle(chart.markers ? 0.02 : 0);
    y_.settle(0.05);
  }

  [[nodiscard]] std::string paint() {
    std::vector<Tick> const y_ticks = points_ == 0 ? std::vector<Tick>() : y_.ticks(5);
    for (Tick const& tick : y_ticks) left_ = std::max(left_, 14 + svg_text_width(tick.label));
    std::string body;
    double cursor = 4;
    if (!chart_.title.empty()) {
      cursor += 14;
      body += svg_title(cursor, chart_.title);
      cursor += 6;
    }
    body += legend(cursor);
    if (!chart_.y_label.empty()) {
      cursor += 14;
      body += svg_text(0, cursor, "start", chart_.y_label, svg_muted);
      cursor += 4;
    }
    top_ = cursor + 12;
    bottom_ = top_ + 190;
    body += axes(y_ticks);
    for (std::size_t i = 0; i < chart_.series.size(); ++i) body += line(chart_.series[i], i);
    if (points_ == 0)
      body += svg_text((left_ + right) / 2, (top_ + bottom_) / 2, "middle", "no data", svg_muted);

    return svg_root(480, bottom_ + (chart_.x_label.empty() ? 24 : 42),
                    chart_.title.empty() ? "line chart" : chart_.title, body);
  }

 private:
  static constexpr double right = 470;

  [[nodiscard]] bool visible(Series const& series, std::size_t i) const {
    return x_.accepts(series.x[i]) && y_.accepts(series.y[i]);
  }
  [[nodiscard]] static std::string_view colour(std::size_t series) {
    return chart_colours[series % chart_colours.size()];
  }
  /// The stroke attributes of a series.
  [[nodiscard]] static std::string stroke(std::size_t series) {
    std::string const dash = series >= chart_colours.size() ? " stroke-dasharray=\"6 4\"" : "";
    return " stroke=\"" + std::string(colour(series)) + "\" stroke-width=\"1.75\"" + dash;
  }
  [[nodiscard]] double place_x(double value) const { return left_ + x_.position(value) * (right - left_); }
  [[nodiscard]] double place_y(double value) const { return bottom_ - y_.position(value) * (bottom_ - top_); }

  /// The names in rows, as many in each row as fit. Moves `cursor` below them.
  [[nodiscard]] std::string legend(double& cursor) const {
    std::string result;
    double x = 0;
    bool any = false;
    for (std::size_t i = 0; i < chart_.series.size(); ++i) {
      std::string const& name = chart_.series[i].name;
      if (name.empty()) continue;
      double const width = 24 + svg_text_width(name) + 14;
      if (!any || (x > 0 && x + width > 480)) {
        x = 0;
        cursor += 17;
        any = true;
      }
      result += svg_rule(x, cursor - 4, x + 18, cursor - 4, stroke(i)) +
                svg_text(x + 24, cursor, "start", name, "");
      x += width;
    }
    if (any) cursor += 4;
    return result;
  }

  [[nodiscard]] std::string axes(std::vector<Tick> const& y_ticks) const {
    std::string result;
    for (Tick const& tick : y_ticks) {
      double const y = place_y(tick.value);
      result += svg_rule(left_, y, right, y, " stroke=\"currentColor\" stroke-opacity=\"0.15\"");
      result += svg_text(left_ - 7, y + 4, "end", tick.label, svg_muted);
    }
    result += svg_rule(left_, bottom_, right, bottom_, " stroke=\"currentColor\" stroke-opacity=\"0.5\"");
    for (Tick const& tick : points_ == 0 ? std::vector<Tick>() : x_.ticks(6)) {
      double const x = place_x(tick.value);
      // Half of a label may extend beyond the plot, but not beyond the picture.
      double const centre = std::min(x, 480 - svg_text_width(tick.label) / 2);
      result += svg_rule(x, bottom_, x, bottom_ + 4, " stroke=\"currentColor\" stroke-opacity=\"0.5\"");
      result += svg_text(centre, bottom_ + 17, "middle", tick.label, svg_muted);
    }
    if (!chart_.x_label.empty())
      result += svg_text((left_ + right) / 2, bottom_ + 35, "middle", chart_.x_label, svg_muted);
    return result;
  }

  /// The parts between interruptions: each is a polyline, or a dot if it is a single point.
  [[nodiscard]] std::string line(Series const& series, std::size_t index) const {
    std::string result =
        "<g fill=\"none\" stroke-linejoin=\"round\" stroke-linecap=\"round\"" + stroke(index) + ">";
    std::string dots;
    for (std::size_t begin = 0; begin < series.x.size();) {
      std::size_t end = begin;
      while (end < series.x.size() && visible(series, end)) ++end;
      if (end - begin > 1) {
        result += "<polyline points=\"";
        for (std::size_t const i : thinned(series, begin, end))
          result += svg_number(place_x(series.x[i])) + "," + svg_number(place_y(series.y[i])) + " ";
        result.back() = '"';
        result += "/>";
      }
      if (end - begin == 1 || chart_.markers)
        for (std::size_t i = begin; i < end; ++i)
          dots += "<circle cx=\"" + svg_number(place_x(series.x[i])) + "\" cy=\"" +
                  svg_number(place_y(series.y[i])) + "\" r=\"3\"/>";
      begin = std::max(end, begin + 1);
    }
    result += "</g>";
    if (!dots.empty()) result += "<g fill=\"" + std::string(colour(index)) + "\">" + dots + "</g>";
    return result;
  }

  /// Points begin..end. If there are many, only the lowest and highest of each group, so that no peak is
  /// lost.
  [[nodiscard]] static std::vector<std::size_t> thinned(Series const& series, std::size_t begin,
                                                        std::size_t end) {
    constexpr std::size_t groups = 400;
    std::vector<std::size_t> kept;
    std::size_t const count = end - begin;
    if (count <= 2 * groups) {
      for (std::size_t i = begin; i < end; ++i) kept.push_back(i);
      return kept;
    }
    kept.push_back(begin);
    for (std::size_t group = 0; group < groups; ++group) {
      auto const first = series.y.begin() + static_cast<std::ptrdiff_t>(begin + group * count / groups);
      auto const last = series.y.begin() + static_cast<std::ptrdiff_t>(begin + (group + 1) * count / groups);
      auto const [low, high] = std::minmax_element(first, last);
      kept.push_back(static_cast<std::size_t>(std::min(low, high) - series.y.begin()));
      if (low != high) kept.push_back(static_cast<std::size_t>(std::max(low, high) - series.y.begin()));
    }
    kept.push_back(end - 1);
    return kept;
  }

  Chart const& chart_;
  Axis x_;
  Axis y_;
  std::size_t points_ = 0;
  double left_ = 30;
  double top_ = 0;
  double bottom_ = 0;
};

}  // namespace detail

/// The chart as an <svg> element, 480 wide, for HTML. Throws ShapeError if x and y of a series have different
/// lengths.
[[nodiscard]] inline std::string render_chart(Chart const& chart) {
  return detail::ChartPainter(chart).paint();
}

}  // namespace diffsiam::report
