#include <tests/data/files.hpp>
#include <tests/support/catch.hpp>

#include <diffsiam/data/fitted.hpp>

using namespace diffsiam;
using data::Dataset;
using data::FittedPictures;

TEST_CASE("the pictures of a set come in another size and colour, with their labels") {
  // Two pictures of 2 x 4: in the middle square (10, 20; 30, 40), then white.
  test::Bytes const pixels{0, 10, 20, 0, 0, 30, 40, 0, 255, 255, 255, 255, 255, 255, 255, 255};
  Dataset const set = Dataset::from(pixels, {2, 2, 4, 1}, std::vector{3, 1});
  Dataset const fitted{FittedPictures{set, {.height = 2, .width = 2, .channels = 3}}};
  REQUIRE(fitted.shape() == Shape{2, 2, 2, 3});
  REQUIRE(fitted.labels() == std::vector{3, 1});
  REQUIRE(fitted.pixels(0) == test::Bytes{10, 10, 10, 20, 20, 20, 30, 30, 30, 40, 40, 40});
  REQUIRE(fitted.pixels(1) == test::Bytes(12, 255));
}

TEST_CASE("sizes that nothing can be fitted to are refused") {
  Dataset const set = Dataset::from(test::Bytes(8), {1, 2, 2, 2});
  REQUIRE_THROWS_AS((FittedPictures{set, {.height = 2, .width = 2}}), ShapeError);
  Dataset const grey = Dataset::from(test::Bytes(4), {1, 2, 2, 1});
  REQUIRE_THROWS_AS((FittedPictures{grey, {.height = 0, .width = 2}}), ConfigError);
}
