#include <vector>

#include <tests/data/files.hpp>
#include <tests/support/catch.hpp>

#include <diffsiam/data/mirrored.hpp>

using namespace diffsiam;
using data::Dataset;
using test::Bytes;

TEST_CASE("a mirrored set has the same labels, and pictures mirrored from left to right", "[data]") {
  // Three columns of two channels: the middle column stays, and a pixel keeps the order of its channels.
  auto const pictures =
      Dataset::from(Bytes{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}, {1, 2, 3, 2}, std::vector{4});
  Dataset const mirrored{data::Mirrored{pictures}};
  CHECK(mirrored.shape() == pictures.shape());
  CHECK(mirrored.labels() == pictures.labels());
  CHECK(mirrored.pixels(0) == Bytes{5, 6, 3, 4, 1, 2, 11, 12, 9, 10, 7, 8});
}

TEST_CASE("a mirrored slice has the pictures of the slice", "[data]") {
  auto const pictures = Dataset::from(Bytes{1, 2, 3, 4, 5, 6}, {3, 1, 2, 1});
  Dataset const mirrored{data::Mirrored{pictures.slice(1, 3)}};
  REQUIRE(mirrored.size() == 2);
  CHECK(mirrored.pixels(0) == Bytes{4, 3});
  CHECK(mirrored.pixels(1) == Bytes{6, 5});
  CHECK(mirrored.labels().empty());
  CHECK_THROWS_AS(Dataset{data::Mirrored{Dataset{}}}, ShapeError);
}
