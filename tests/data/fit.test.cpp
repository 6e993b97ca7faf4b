#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include <tests/data/kept_resized.hpp>
#include <tests/support/catch.hpp>

#include <diffsiam/data/fit.hpp>

using namespace diffsiam;
using data::Filter;
using data::Fit;
using data::FitConfig;

namespace {

io::Picture fitted(io::Picture const& picture, FitConfig const& config) {
  io::Picture result = io::blank_picture(config.height, config.width, config.channels, 123);
  data::fit_picture(picture, config, result.pixels);
  return result;
}

io::Picture cut(io::Picture const& picture, data::CropBox const& box) {
  return fitted(picture,
                {.height = box.height, .width = box.width, .channels = picture.channels, .box = box});
}

io::Picture source() {
  return test::kept_resized("colour");  // 23 x 31
}

void check_fit(io::Picture const& picture, FitConfig const& config, std::string const& name) {
  INFO(name);
  CHECK(test::largest_difference(fitted(picture, config), test::kept_resized(name)) <= 1);
}

}  // namespace

TEST_CASE("fit_picture crops, pads and stretches as Pillow does") {
  io::Picture const wide = source(), tall = cut(wide, {.top = 1, .left = 3, .height = 21, .width = 11});
  constexpr std::array<std::uint8_t, 3> ground{10, 200, 60};
  check_fit(wide, {.height = 12, .width = 8}, "crop_wide");
  check_fit(tall, {.height = 8, .width = 12, .filter = Filter::bicubic}, "crop_tall");
  check_fit(cut(wide, {0, 0, 4, 5}), {.height = 8, .width = 12}, "crop_enlarged");
  check_fit(wide, {.height = 12, .width = 11, .fit = Fit::pad, .ground = ground}, "pad_wide");
  check_fit(tall, {.height = 8, .width = 12, .fit = Fit::pad, .ground = ground}, "pad_tall");
  check_fit(wide, {.height = 8, .width = 12, .fit = Fit::stretch, .filter = Filter::lanczos}, "stretch");
  check_fit(wide, {.height = 8, .width = 8, .box = data::CropBox{2, 5, 16, 20}}, "box");
}

TEST_CASE("a box is cut before anything else, and nothing beyond it is seen") {
  io::Picture picture = io::blank_picture(6, 8, 1, 255);
  for (int y = 1; y < 4; ++y)
    for (int x = 2; x < 7; ++x) picture.pixels[static_cast<std::size_t>(8 * y + x)] = 9;
  FitConfig config{.height = 7, .width = 7, .channels = 1, .box = data::CropBox{1, 2, 3, 5}};
  for (Fit const fit : {Fit::crop, Fit::stretch}) {
    config.fit = fit;
    CHECK(fitted(picture, config) == io::blank_picture(7, 7, 1, 9));
  }
}

TEST_CASE("RGB becomes grey as Pillow's luma, grey becomes RGB by repetition") {
  io::Picture const colour = source();
  FitConfig config{.height = colour.height, .width = colour.width, .channels = 1};
  io::Picture const grey = fitted(colour, config);
  CHECK(grey == test::kept_resized("luma"));
  config.channels = 3;
  io::Picture const repeated = fitted(grey, config);
  for (std::size_t i = 0; i < repeated.pixels.size(); ++i)
    if (repeated.pixels[i] != grey.pixels[i / 3]) FAIL("pixel " << i);
  CHECK(data::luma(255, 255, 255) == 255);
  CHECK(data::luma(255, 0, 0) == 76);
  CHECK(data::luma(0, 255, 0) == 150);
  CHECK(data::luma(0, 0, 255) == 29);
}

TEST_CASE("the ground of a padded picture is as wide on both sides, in the channels of the result") {
  FitConfig config{.height = 2, .width = 6, .channels = 1, .fit = Fit::pad, .ground = {255, 0, 0}};
  std::vector<std::uint8_t> const row{76, 76, 5, 5, 76, 76};
  io::Picture const result = fitted(io::blank_picture(9, 9, 3, 5), config);
  CHECK(std::vector(result.pixels.begin(), result.pixels.begin() + 6) == row);
  CHECK(std::vector(result.pixels.begin() + 6, result.pixels.end()) == row);
  // However thin a picture is, a pixel of it is there.
  config.channels = 3;
  io::Picture const line = fitted(io::blank_picture(1, 1000, 1, 5), config);
  CHECK(line.pixels[0] == 5);
  CHECK(line.pixels[18] == 255);
}

TEST_CASE("fit_picture refuses configurations, pictures and results that do not fit together") {
  io::Picture const picture = io::blank_picture(4, 6, 3, 0);
  std::vector<std::uint8_t> out(12);
  auto const fit = [&](FitConfig const& config) { data::fit_picture(picture, config, out); };
  CHECK_NOTHROW(fit({.height = 2, .width = 2}));
  CHECK_THROWS_WITH(fit({.height = 2, .width = 3}), "fit_picture: expected 18 values of `out`, got 12");
  CHECK_THROWS_WITH(fit({.height = 2, .width = 2, .channels = 4}),
                    "fit_picture: expected sides of 1 .. 32768, and 1 or 3 channels, got (2, 2, 4)");
  CHECK_THROWS_AS(fit({.height = 0, .width = 2}), ConfigError);
  CHECK_THROWS_AS(fit({.height = 2, .width = 32769}), ConfigError);
  CHECK_THROWS_WITH(fit({.height = 2, .width = 2, .box = data::CropBox{-1, 0, 2, 2}}),
                    test::contains("a box at 0 or beyond, of 1 x 1 or more, got 2 x 2 at (-1, 0)"));
  CHECK_THROWS_AS(fit({.height = 2, .width = 2, .box = data::CropBox{0, 0, 2, 0}}), ConfigError);
  CHECK_THROWS_WITH(fit({.height = 2, .width = 2, .box = data::CropBox{1, 0, 4, 2}}),
                    "fit_picture: expected a picture that holds a box of 4 x 2 at (1, 0), got (4, 6, 3)");
  constexpr int far = 2147483647;
  CHECK_THROWS_AS(fit({.height = 2, .width = 2, .box = data::CropBox{far, far, far, far}}), ShapeError);
  CHECK_THROWS_AS(data::fit_picture({.height = 1, .width = 1, .pixels = {}}, {.height = 2, .width = 2}, out),
                  ShapeError);
}
