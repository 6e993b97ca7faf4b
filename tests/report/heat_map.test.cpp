#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include <tests/io/scratch.hpp>
#include <tests/report/well_formed.hpp>
#include <tests/support/catch.hpp>

#include <diffsiam/report/heat_map.hpp>

using namespace diffsiam;
using namespace diffsiam::test;
using report::HeatMap;

namespace {

double const no_value = std::numeric_limits<double>::quiet_NaN();

/// Two rows of three, with both kinds of marks and an empty cell.
HeatMap small_map() {
  return {.title = "Subsets & factors",
          .x_label = "subset <i>",
          .rows = {"hue", "size"},
          .columns = {"1", "2", "3"},
          .values = {0.25, 0.5, 1.0, no_value, 0.75, -3.0},
          .value_label = "\"score\"",
          .marks = {{.name = "lost", .shape = report::MarkShape::triangle, .at = {0, 1.5}},
                    {.name = "found", .shape = report::MarkShape::circle, .at = {3, no_value}}}};
}

/// Relative luminance of (r, g, b) in [0, 255] (WCAG 2).
double luminance(std::vector<double> const& colour) {
  double result = 0;
  double const weights[3] = {0.2126, 0.7152, 0.0722};
  for (std::size_t c = 0; c < 3; ++c) {
    double const value = colour[c] / 255;
    result += weights[c] * (value <= 0.04045 ? value / 12.92 : std::pow((value + 0.055) / 1.055, 2.4));
  }
  return result;
}
std::vector<double> channels(std::string_view colour) {
  std::vector<double> result;
  for (std::size_t c = 0; c < 3; ++c)
    result.push_back(std::stoi(std::string(colour.substr(1 + 2 * c, 2)), nullptr, 16));
  return result;
}

}  // namespace

TEST_CASE("the check of XML refuses what is not well formed", "[report][heat_map]") {
  CHECK(well_formed("<a b=\"1\" c=\"\"><d/>x &lt; y<e>z</e></a>"));
  for (char const* bad : {"", "x", "<a>", "<a></b>", "<a/><b/>", "<a></a>x", "<a><b></a></b>", "<a b=1/>",
                          "<a b=\"1\" b=\"2\"/>", "<a b=\"1/>", "<a>x & y</a>", "<a>&nbsp;</a>"})
    CHECK_FALSE(well_formed(bad));
}

TEST_CASE("a heat map holds its names, a cell a value, its legend and its marks", "[report][heat_map]") {
  std::string const svg = report::render_heat_map(small_map());
  CHECK(well_formed(svg));
  CHECK(svg.starts_with("<svg"));
  CHECK(contains(svg, "xmlns=\"http://www.w3.org/2000/svg\""));
  for (char const* text :
       {"Subsets &amp; factors", "subset &lt;i&gt;", ">&quot;score&quot;</text>", ">hue</text>",
        ">size</text>", ">1</text>", ">3</text>", ">lost</text>", ">found</text>"})
    CHECK(contains(svg, text));
  CHECK(occurrences(svg, "<path") == 2 + 1);    // one a row, one in the legend
  CHECK(occurrences(svg, "<circle") == 1 + 1);  // the second row has none
  CHECK(occurrences(svg, "<rect") == 5 + 12);   // NaN has none; 12 shades in the legend
  CHECK_FALSE(contains(svg, "nan"));
  CHECK(report::render_heat_map(small_map()) == svg);
}

TEST_CASE("greater values are shaded stronger, and beyond the range no further", "[report][heat_map]") {
  CHECK(report::heat_map_opacity(2, 2, 4) == Approx(0.06));
  CHECK(report::heat_map_opacity(3, 2, 4) == Approx(0.41));
  CHECK(report::heat_map_opacity(4, 2, 4) == Approx(0.76));
  CHECK(report::heat_map_opacity(-std::numeric_limits<double>::infinity(), 2, 4) == Approx(0.06));
  CHECK(report::heat_map_opacity(9, 2, 4) == Approx(0.76));
  std::string const svg = report::render_heat_map(
      {.rows = {"a"}, .columns = {"1", "2", "3"}, .values = {10, 25, 40}, .low = 10, .high = 30});
  std::string_view const shades = std::string_view(svg).substr(svg.rfind("<g fill=\"#3b82c4\">"));
  std::size_t const weak = shades.find("\"0.060\""), middle = shades.find("\"0.585\""),
                    strong = shades.find("\"0.760\"");
  CHECK(weak < middle);
  CHECK(middle < strong);
  CHECK(strong != std::string_view::npos);
}

TEST_CASE("marks stand at their fraction of the columns", "[report][heat_map]") {
  HeatMap map = small_map();
  map.marks = {{.name = "", .shape = report::MarkShape::circle, .at = {0, 3}}};
  map.values = {0, 0, 0, 0, 0, 0};
  std::string const svg = report::render_heat_map(map);
  std::vector<double> xs, ys, lefts, tops;
  for (std::size_t at = svg.find("<circle"); at != std::string::npos; at = svg.find("<circle", at + 1)) {
    double x = 0, y = 0;
    REQUIRE(std::sscanf(svg.c_str() + at, "<circle cx=\"%lf\" cy=\"%lf\"", &x, &y) == 2);
    xs.push_back(x), ys.push_back(y);
  }
  double width = 0, height = 0;
  for (std::size_t at = svg.find("<rect"); at != std::string::npos; at = svg.find("<rect", at + 1)) {
    double x = 0, y = 0;
    REQUIRE(std::sscanf(svg.c_str() + at, "<rect x=\"%lf\" y=\"%lf\" width=\"%lf\" height=\"%lf\"", &x, &y,
                        &width, &height) == 4);
    lefts.push_back(x), tops.push_back(y);
  }
  REQUIRE(xs.size() == 3);  // the legend's first
  REQUIRE(lefts.size() == 12 + 6);
  CHECK(xs[1] == Approx(lefts[12] - 0.5).margin(0.11));
  CHECK(xs[2] == Approx(lefts[17] + width + 0.5).margin(0.11));
  CHECK(ys[1] == Approx(tops[12] + height / 2).margin(0.11));
  CHECK(ys[2] == Approx(tops[17] + height / 2).margin(0.11));
  CHECK(lefts[12] < lefts[13]);
  CHECK(tops[12] < tops[15]);
}

TEST_CASE("values are written into the cells when asked", "[report][heat_map]") {
  HeatMap map = small_map();
  map.decimals = 2;
  std::string const svg = report::render_heat_map(map);
  CHECK(well_formed(svg));
  for (char const* text : {">0.25</text>", ">0.50</text>", ">1.00</text>", ">0.75</text>", ">-3.00</text>"})
    CHECK(contains(svg, text));
  CHECK_FALSE(contains(report::render_heat_map(small_map()), ">0.25</text>"));
}

TEST_CASE("many columns widen the picture, and only labels that have room are written",
          "[report][heat_map]") {
  HeatMap map{.rows = {"a"}};
  for (int i = 100; i < 164; ++i) {
    map.columns.push_back(std::to_string(i));
    map.values.push_back(0.5);
  }
  std::string const svg = report::render_heat_map(map);
  CHECK(contains(svg, "width=\"1062\""));  // 30 + 64 cells of 16 + 8
  CHECK(contains(svg, ">100</text>"));
  CHECK_FALSE(contains(svg, ">101</text>"));
  CHECK(contains(svg, ">102</text>"));
}

TEST_CASE("a heat map of nothing says so", "[report][heat_map]") {
  for (HeatMap const& map : {HeatMap{}, HeatMap{.rows = {"a"}}, HeatMap{.columns = {"1"}}}) {
    std::string const svg = report::render_heat_map(map);
    CHECK(well_formed(svg));
    CHECK(contains(svg, "no data"));
  }
}

TEST_CASE("text and marks stand out from every shade on light and on dark ground", "[report][heat_map]") {
  struct Ground {
    char const *ground, *ink;
  };
  for (Ground const& page : {Ground{"#ffffff", "#1b1e23"}, Ground{"#14161a", "#e6e8eb"}}) {
    double const ink = luminance(channels(page.ink));
    for (double const value : {0.0, 0.25, 0.5, 0.75, 1.0}) {
      double const opacity = report::heat_map_opacity(value, 0, 1);
      std::vector<double> shade;
      for (std::size_t c = 0; c < 3; ++c)
        shade.push_back(opacity * channels(report::heat_map_colour)[c] +
                        (1 - opacity) * channels(page.ground)[c]);
      double const under = luminance(shade);
      CAPTURE(page.ground, value);
      CHECK((std::max(ink, under) + 0.05) / (std::min(ink, under) + 0.05) >= 4.5);
    }
  }
}

TEST_CASE("values, marks and ranges that do not fit are refused", "[report][heat_map]") {
  auto const shape_message = [](HeatMap const& map) {
    return message_of<ShapeError>([&] { (void)report::render_heat_map(map); });
  };
  auto const range_message = [](HeatMap const& map) {
    return message_of<RangeError>([&] { (void)report::render_heat_map(map); });
  };
  HeatMap map = small_map();
  map.values.pop_back();
  CHECK(shape_message(map) == "render_heat_map: expected 6 values of 2 rows and 3 columns, got 5");
  map = small_map();
  map.marks[1].at = {1};
  CHECK(shape_message(map) == "render_heat_map: expected marks 'found' for 2 rows, got 1");
  for (double const outside : {-0.5, 3.5}) {
    map = small_map();
    map.marks[0].at = {1, outside};
    CHECK(range_message(map) ==
          "render_heat_map: expected marks 'lost' at positions in [0, 3], got " + io::format_number(outside));
  }
  map = small_map();
  map.low = map.high = 1;
  CHECK(range_message(map) == "render_heat_map: expected low below high, both finite, got 1 and 1");
  map.low = no_value;
  CHECK(range_message(map) == "render_heat_map: expected low below high, both finite, got NaN and 1");
}
