#include <cmath>

#include <tests/support/catch.hpp>

#include <diffsiam/eval/nearest_partners.hpp>

using namespace diffsiam;

TEST_CASE("partners are the nearest by angle, nearest first, without the picture itself") {
  // On a circle, at degrees 0, 10, 25, 180, 200; lengths play no part.
  std::vector<float> const angles{0, 10, 25, 180, 200};
  std::vector<float> points;
  for (float const degrees : angles) {
    float const radians = degrees * 3.14159265F / 180;
    points.insert(points.end(), {degrees + 1, 0});
    points[points.size() - 1] = points[points.size() - 2] * std::sin(radians);
    points[points.size() - 2] *= std::cos(radians);
  }
  auto const partners = eval::nearest_partners({points, 5, 2}, 2);
  REQUIRE(partners.pictures() == 5);
  auto const of = [&](Index i) { return std::vector<Index>(partners.of(i).begin(), partners.of(i).end()); };
  REQUIRE(of(0) == std::vector<Index>{1, 2});
  REQUIRE(of(1) == std::vector<Index>{0, 2});
  REQUIRE(of(2) == std::vector<Index>{1, 0});
  REQUIRE(of(3) == std::vector<Index>{4, 2});
  REQUIRE(of(4) == std::vector<Index>{3, 0});
}

TEST_CASE("equal pictures are each other's partners, never their own") {
  // Four equal points: the picture itself may fall out of the nearest.
  std::vector<float> const points(8, 1.0F);
  auto const partners = eval::nearest_partners({points, 4, 2}, 2);
  for (Index i = 0; i < 4; ++i)
    for (Index const partner : partners.of(i)) REQUIRE(partner != i);
}

TEST_CASE("partners need as many others") {
  using test::contains;
  std::vector<float> const points{1, 0, 0, 1, 1, 1};
  REQUIRE_THROWS_WITH(eval::nearest_partners({points, 3, 2}, 3), contains("[1, 3)") && contains("got 3"));
  REQUIRE_THROWS_AS(eval::nearest_partners({points, 3, 2}, 0), RangeError);
  REQUIRE_THROWS_AS(eval::nearest_partners({points, 4, 2}, 1), ShapeError);
}
