#include <vector>

#include <tests/support/catch.hpp>

#include <diffsiam/eval/columns.hpp>

using namespace diffsiam;
using diffsiam::test::contains;
using eval::Columns;

TEST_CASE("Chosen subsets of z are their columns, one behind another", "[eval][columns]") {
  // Subsets of 1, 2, 1 and 2 columns.
  auto const partition = encoder::TimestepPartition::uniform({.timesteps = 8, .subsets = 4, .dims = 6});
  std::vector<float> const z{0, 1, 2, 3, 4, 5, 10, 11, 12, 13, 14, 15};
  auto const chosen = Columns::of(partition, {0, 3});
  CHECK(chosen.dims() == 6);
  CHECK(chosen.width() == 3);
  CHECK(chosen.subsets() == std::vector<eval::SubsetOfZ>{{0, {0, 1}}, {3, {4, 6}}});
  CHECK(chosen.gather({z, 2, 6}) == std::vector<float>{0, 4, 5, 10, 14, 15});
  CHECK(Columns::of(partition, {1, 2}).gather({z, 2, 6}) == std::vector<float>{1, 2, 3, 11, 12, 13});
  CHECK(Columns::all(6).gather({z, 2, 6}) == z);
  CHECK(Columns::all(6).subsets().empty());

  CHECK_THROWS_AS(chosen.gather({z, 3, 4}), ShapeError);
  CHECK_THROWS_AS(chosen.gather({z, 3, 6}), ShapeError);
  CHECK_THROWS_AS(Columns::of(partition, {}), RangeError);
  CHECK_THROWS_AS(Columns::of(partition, {4}), Error);
  CHECK_THROWS_AS(Columns::of(partition, {-1}), Error);
  CHECK_THROWS_WITH(Columns::of(partition, {2, 2}), contains("ascending order") && contains("2 after 2"));
  CHECK_THROWS_AS(Columns::all(0), RangeError);
}
