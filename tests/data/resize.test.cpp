#include <string>
#include <vector>

#include <tests/data/kept_resized.hpp>
#include <tests/support/catch.hpp>

#include <diffsiam/data/resize.hpp>

using namespace diffsiam;
using data::Filter;

namespace {

struct NamedFilter {
  Filter filter;
  std::string name;
};
std::vector<NamedFilter> const filters{{Filter::box, "box"},
                                       {Filter::bilinear, "bilinear"},
                                       {Filter::bicubic, "bicubic"},
                                       {Filter::lanczos, "lanczos"}};

/// Compares with Pillow's picture of this name. Sums in float32 may end on the other side of a half.
void check_like_pillow(io::Picture const& resized, std::string const& name) {
  INFO(name);
  io::Picture const expected = test::kept_resized(name);
  CHECK(test::largest_difference(resized, expected) <= 1);
  int different = 0;
  for (std::size_t i = 0; i < resized.pixels.size(); ++i)
    different += resized.pixels[i] != expected.pixels[i] ? 1 : 0;
  CHECK(different <= 1 + static_cast<int>(expected.pixels.size()) / 100);
}

}  // namespace

TEST_CASE("resize agrees with Pillow for every filter, smaller and larger") {
  io::Picture const colour = test::kept_resized("colour");
  io::Picture const grey = test::kept_resized("grey");
  for (auto const& [filter, name] : filters) {
    check_like_pillow(data::resize(colour, 7, 9, filter), "colour_" + name + "_7x9");
    check_like_pillow(data::resize(colour, 40, 13, filter), "colour_" + name + "_40x13");
    check_like_pillow(data::resize(colour, 5, 40, filter), "colour_" + name + "_5x40");
    check_like_pillow(data::resize(grey, 7, 9, filter), "grey_" + name + "_7x9");
  }
  check_like_pillow(data::resize(colour, 1, 1), "colour_bilinear_1x1");
  check_like_pillow(data::resize(colour, 23, 10), "colour_bilinear_23x10");
  check_like_pillow(data::resize(colour, 11, 31), "colour_bilinear_11x31");
}

TEST_CASE("resize of a region whose sides lie between pixels agrees with Pillow") {
  io::Picture const colour = test::kept_resized("colour");
  data::Region const region{.top = 3.5, .left = 4.25, .height = 15.5, .width = 16.5};
  for (auto const& [filter, name] : filters)
    check_like_pillow(data::resize(colour, region, 6, 8, filter), "region_" + name + "_6x8");
}

TEST_CASE("resize to the same size changes nothing") {
  io::Picture const colour = test::kept_resized("colour");
  for (auto const& [filter, name] : filters) {
    INFO(name);
    CHECK(data::resize(colour, colour.height, colour.width, filter) == colour);
  }
}

TEST_CASE("resize keeps a picture of one shade, from and to any size") {
  for (auto const& [filter, name] : filters)
    for (int const channels : {1, 3})
      for (int const from : {1, 2, 7, 64})
        for (int const to : {1, 3, 8, 50}) {
          INFO(name << ", " << from << " to " << to);
          CHECK(data::resize(io::blank_picture(from, from + 1, channels, 201), to, to + 2, filter) ==
                io::blank_picture(to, to + 2, channels, 201));
        }
}

TEST_CASE("resize by box halves a picture into means, halves upwards") {
  io::Picture const picture{.height = 2, .width = 4, .pixels = {1, 2, 10, 20, 3, 4, 30, 40}};
  // Along the rows first: 2 15, 4 35.
  CHECK(data::resize(picture, 1, 2, Filter::box).pixels == std::vector<std::uint8_t>{3, 25});
}

TEST_CASE("resize refuses what it cannot do") {
  io::Picture const picture = io::blank_picture(4, 6, 3, 0);
  CHECK_THROWS_WITH(data::resize(picture, 0, 5), "resize: expected sides of 1 .. 32768, got 0 x 5");
  CHECK_THROWS_WITH(data::resize(picture, 5, 32769), test::contains("5 x 32769"));
  CHECK_THROWS_WITH(data::resize(picture, {.top = 1, .left = 0, .height = 4, .width = 6}, 2, 2),
                    "resize: expected a region inside of (4, 6, 3), got 4 x 6 at (1, 0)");
  CHECK_THROWS_AS(data::resize(picture, {.top = 0, .left = -0.5, .height = 1, .width = 1}, 2, 2), ShapeError);
  CHECK_THROWS_AS(data::resize(picture, {.top = 0, .left = 0, .height = 0, .width = 1}, 2, 2), ShapeError);
  CHECK_THROWS_AS(data::resize({.height = 2, .width = 2, .channels = 1, .pixels = {1}}, 2, 2), ShapeError);
}
