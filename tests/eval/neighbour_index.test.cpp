#include <vector>

#include <tests/eval/blobs.hpp>
#include <tests/support/catch.hpp>

#include <diffsiam/eval/neighbour_index.hpp>

using namespace diffsiam;
using diffsiam::test::contains;
using eval::Columns;
using eval::ExactIndex;
using eval::Metric;
using eval::NeighbourIndex;

TEST_CASE("An index of chosen subsets of z is searched with whole rows of z", "[eval][neighbour_index]") {
  // Subset 0 and subset 1 disagree about which row is near.
  std::vector<float> const z{1, 0, 5, 5, 9, 0, 1, 1}, query{1, 0, 1, 1};
  auto const partition = encoder::TimestepPartition::uniform({.timesteps = 2, .subsets = 2, .dims = 4});
  auto const nearest_by = [&](std::vector<int> const& subsets) {
    auto const index =
        NeighbourIndex::over<ExactIndex>({z, 2, 4}, Columns::of(partition, subsets), Metric::euclidean);
    CHECK(index.count() == 2);
    CHECK(index.dims() == 4);
    return index.search({query, 1, 4}, 1).all[0];
  };
  CHECK(nearest_by({0}).index == 0);
  CHECK(nearest_by({1}).index == 1);
  CHECK(nearest_by({0, 1}).index == 0);
  CHECK(nearest_by({0, 1}).similarity == test::Approx(-5.656854F));

  NeighbourIndex const all{ExactIndex{{z, 2, 4}}};
  NeighbourIndex const around{NeighbourIndex{all}, Columns::all(4)};
  CHECK(all.search({query, 1, 4}, 2).all[1].index == around.search({query, 1, 4}, 2).all[1].index);
  CHECK_THROWS_AS(all.search({query, 2, 2}, 1), ShapeError);
  CHECK_THROWS_WITH((NeighbourIndex{ExactIndex{{z, 2, 4}}, Columns::of(partition, {1})}),
                    contains("an index of 2 dims") && contains("got 4"));
  CHECK_THROWS_AS(NeighbourIndex::over<ExactIndex>({z, 4, 2}, Columns::all(4)), ShapeError);
}
