#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include <tests/io/scratch.hpp>
#include <tests/support/catch.hpp>

#include <diffsiam/report/chart.hpp>

using namespace diffsiam;
using namespace diffsiam::test;
using report::Chart;

namespace {

std::vector<std::string> labels(std::vector<report::Tick> const& ticks) {
  std::vector<std::string> result;
  for (report::Tick const& tick : ticks) result.push_back(tick.label);
  return result;
}

/// Relative luminance of "#rrggbb" (WCAG 2).
double luminance(std::string_view colour) {
  double result = 0;
  double const weights[3] = {0.2126, 0.7152, 0.0722};
  for (std::size_t c = 0; c < 3; ++c) {
    double const value = std::stoi(std::string(colour.substr(1 + 2 * c, 2)), nullptr, 16) / 255.0;
    result += weights[c] * (value <= 0.04045 ? value / 12.92 : std::pow((value + 0.055) / 1.055, 2.4));
  }
  return result;
}

}  // namespace

TEST_CASE("ticks stand at numbers that people would choose", "[report][chart]") {
  using Labels = std::vector<std::string>;
  CHECK(labels(report::nice_ticks(0, 1, 5)) == Labels{"0.0", "0.2", "0.4", "0.6", "0.8", "1.0"});
  CHECK(labels(report::nice_ticks(-3, 7, 5)) == Labels{"-2", "0", "2", "4", "6"});
  CHECK(labels(report::nice_ticks(0, 60000, 6)) == Labels{"0", "10k", "20k", "30k", "40k", "50k", "60k"});
  CHECK(labels(report::nice_ticks(0, 1e6, 4)) == Labels{"0", "0.5M", "1.0M"});
  CHECK(labels(report::nice_ticks(0.081, 0.119, 4)) == Labels{"0.09", "0.10", "0.11"});
  CHECK(labels(report::nice_ticks(0, 4e-6, 2)) == Labels{"0", "2e-06", "4e-06"});
  CHECK(report::nice_ticks(1, 1, 5).empty());
  CHECK(report::nice_ticks(0, std::numeric_limits<double>::infinity(), 5).empty());
  CHECK(labels(report::log_ticks(0.001, 1000, 7)) ==
        Labels{"0.001", "0.01", "0.1", "1", "10", "100", "1000"});
  CHECK(labels(report::log_ticks(0.02, 1, 5)) == Labels{"0.02", "0.05", "0.1", "0.2", "0.5", "1"});
  CHECK(labels(report::log_ticks(0.022, 0.036, 5)) == Labels{"0.025", "0.030", "0.035"});
  CHECK(report::log_ticks(1e-300, 1e300, 5).size() < 8);
}

TEST_CASE("a chart holds its labels, its legend and one line a series", "[report][chart]") {
  Chart const chart{.title = "Loss & more",
                    .x_label = "step",
                    .y_label = "mean <squared> error",
                    .series = {{.name = "first", .x = {0, 1, 2}, .y = {3, 2, 1}},
                               {.name = "second", .x = {0, 2}, .y = {1, 1}}}};
  std::string const svg = report::render_chart(chart);
  CHECK(svg.starts_with("<svg"));
  CHECK(svg.ends_with("</svg>"));
  CHECK(contains(svg, "Loss &amp; more"));
  CHECK(contains(svg, "mean &lt;squared&gt; error"));
  CHECK(contains(svg, ">first</text>"));
  CHECK(contains(svg, ">second</text>"));
  CHECK(occurrences(svg, "<polyline") == 2);
  CHECK_FALSE(contains(svg, "nan"));
  CHECK(report::render_chart(chart) == svg);
}

TEST_CASE("the highest value stands higher than the lowest, and x grows to the right", "[report][chart]") {
  std::string const svg = report::render_chart({.series = {{.x = {0, 10}, .y = {1, 2}}}});
  std::size_t const at = svg.find("points=\"");
  REQUIRE(at != std::string::npos);
  double x1 = 0, y1 = 0, x2 = 0, y2 = 0;
  REQUIRE(std::sscanf(svg.c_str() + at, "points=\"%lf,%lf %lf,%lf\"", &x1, &y1, &x2, &y2) == 4);
  CHECK(x1 < x2);
  CHECK(y1 > y2);  // SVG counts from the top
  CHECK(std::abs(x2 - 470) < 0.1);
}

TEST_CASE("values without a place interrupt the line", "[report][chart]") {
  double const nan = std::nan("");
  std::string const gap = report::render_chart({.series = {{.x = {0, 1, 2, 3, 4}, .y = {1, 2, nan, 2, 1}}}});
  CHECK(occurrences(gap, "<polyline") == 2);
  std::string const logarithmic =
      report::render_chart({.log_y = true, .series = {{.x = {0, 1, 2, 3}, .y = {1, 0.1, 0, 0.5}}}});
  CHECK(occurrences(logarithmic, "<polyline") == 1);
  CHECK(occurrences(logarithmic, "<circle") == 1);
  for (std::string const& svg : {gap, logarithmic}) CHECK_FALSE(contains(svg, "nan"));
}

TEST_CASE("empty, constant, single and extreme data still give a chart", "[report][chart]") {
  double const huge = std::numeric_limits<double>::max();
  for (bool const log_y : {false, true}) {
    CHECK(contains(report::render_chart({.log_y = log_y}), "no data"));
    CHECK(contains(report::render_chart({.log_y = log_y, .series = {{.x = {1}, .y = {std::nan("")}}}}),
                   "no data"));
    for (auto const& y : {std::vector<double>{5, 5}, {1e-300, 1e299}, {huge, 1}, {1, 1 + 1e-15}, {-3, 4}}) {
      std::string const svg = report::render_chart({.log_y = log_y, .series = {{.x = {0, 1}, .y = y}}});
      CHECK_FALSE(contains(svg, "nan"));
      CHECK_FALSE(contains(svg, "inf"));
      CHECK(svg.size() < 20000);
    }
  }
  CHECK(occurrences(report::render_chart({.series = {{.x = {1}, .y = {2}}}}), "<circle") == 1);
}

TEST_CASE("a long series is thinned without losing its spike", "[report][chart]") {
  report::Series series{.name = "loss"};
  for (int i = 0; i < 100000; ++i) {
    series.x.push_back(i);
    series.y.push_back(i == 54321 ? 100.0 : 1.0);
  }
  std::string const svg = report::render_chart({.series = {series}});
  CHECK(svg.size() < 30000);
  double lowest = 1e9;  // in SVG the spike has the least y
  double highest = 0;
  for (std::size_t at = svg.find("points=\"") + 7; at != std::string::npos && svg[at] != 'z';) {
    double x = 0, y = 0;
    if (std::sscanf(svg.c_str() + at + 1, "%lf,%lf", &x, &y) != 2) break;
    lowest = std::min(lowest, y);
    highest = std::max(highest, y);
    at = svg.find(' ', at + 1);
  }
  CHECK(highest - lowest > 150);
}

TEST_CASE("series colours are told from white and from dark ground, and from each other", "[report][chart]") {
  for (std::string_view const colour : report::chart_colours) {
    CAPTURE(std::string(colour));
    CHECK(1.05 / (luminance(colour) + 0.05) >= 3.0);
    CHECK((luminance(colour) + 0.05) / (luminance("#14161a") + 0.05) >= 3.0);
  }
  std::vector<report::Series> many(9, report::Series{.x = {0, 1}, .y = {0, 1}});
  CHECK(occurrences(report::render_chart({.series = many}), "stroke-dasharray") == 1);
}

TEST_CASE("a series with more x than y is refused", "[report][chart]") {
  CHECK(message_of<ShapeError>([] {
          (void)report::render_chart({.series = {{.name = "loss", .x = {1, 2}, .y = {1}}}});
        }) == "render_chart: expected as many x as y in series 'loss', got 2 x and 1 y");
}
