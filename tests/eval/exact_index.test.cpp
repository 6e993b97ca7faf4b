#include <cmath>
#include <vector>

#include <tests/eval/blobs.hpp>
#include <tests/support/catch.hpp>

#include <diffsiam/eval/exact_index.hpp>

using namespace diffsiam;
using diffsiam::test::contains;
using eval::ExactIndex;
using eval::Metric;

TEST_CASE("An exact index finds what nearest_neighbours finds, again and again", "[eval][exact_index]") {
  test::Blobs const base{500, 19, 3, 2, 1}, queries{301, 19, 3, 2, 2};
  ThreadPool pool{3};
  ExactIndex const index{base.features()};
  CHECK(index.count() == 500);
  CHECK(index.dims() == 19);
  auto const expected = eval::nearest_neighbours(base.features(), queries.features(), 7);
  for (ThreadPool* const with : {static_cast<ThreadPool*>(nullptr), &pool}) {
    auto const found = index.search(queries.features(), 7, with);
    REQUIRE(found.all.size() == expected.all.size());
    for (std::size_t i = 0; i < found.all.size(); ++i) {
      CHECK(found.all[i].index == expected.all[i].index);
      CHECK(found.all[i].similarity == expected.all[i].similarity);
    }
  }
}

TEST_CASE("By Euclidean distance the least one is nearest, of equals the first", "[eval][exact_index]") {
  std::vector<float> const base{0, 0, 3, 4, 0, 1, 3, 4, -6, 8}, query{3, 4, 0, 0};
  ThreadPool pool{2};
  ExactIndex const index{{base, 5, 2}, Metric::euclidean};
  auto const found = index.search({query, 2, 2}, 4, &pool);
  auto const check = [](auto const& neighbours, std::vector<Index> const& indices,
                        std::vector<float> distances) {
    for (std::size_t i = 0; i < 4; ++i) {
      CHECK(neighbours[i].index == indices[i]);
      CHECK(neighbours[i].similarity == test::Approx(-distances[i]));
    }
  };
  check(found.of(0), {1, 3, 2, 0}, {0, 0, std::sqrt(18.0F), 5});
  check(found.of(1), {0, 2, 1, 3}, {0, 1, 5, 5});
}

TEST_CASE("What cannot be searched exactly is refused", "[eval][exact_index]") {
  std::vector<float> const base{0, 0, 3, 4}, far{2e18F, 0}, nan{std::nanf(""), 0};
  ExactIndex const index{{base, 2, 2}, Metric::euclidean};
  CHECK_THROWS_WITH(index.search({base, 1, 4}, 1), contains("queries of 2 dims"));
  CHECK_THROWS_WITH(index.search({base, 2, 2}, 3), contains("k in [1, 2]"));
  CHECK_THROWS_AS(index.search({base, 2, 2}, 0), RangeError);
  CHECK_THROWS_WITH(index.search({far, 1, 2}, 1), contains("a length up to 1e+18"));
  CHECK_THROWS_AS((ExactIndex{{far, 1, 2}, Metric::euclidean}), NumericError);
  CHECK_THROWS_AS((ExactIndex{{nan, 1, 2}}), NumericError);
  CHECK_THROWS_AS((ExactIndex{{{}, 0, 2}}), ShapeError);
  CHECK(ExactIndex{{far, 1, 2}}.search({base, 2, 2}, 1).all[1].similarity == test::Approx(0.6));
}
