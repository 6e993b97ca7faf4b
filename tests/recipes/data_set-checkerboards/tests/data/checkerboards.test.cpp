#include <tests/support/catch.hpp>

#include <diffsiam/data/checkerboards.hpp>

#include <experiments/data_sets.hpp>

namespace diffsiam::test {

TEST_CASE("Checkerboards change colour at the sides of their squares") {
  auto const boards = data::checkerboards(20, 16, {.seed = 3});
  CHECK(boards.shape() == Shape{20, 16, 16, 1});
  for (Index i = 0; i < boards.size(); ++i) {
    auto const pixels = boards.pixels(i);
    auto const square = static_cast<std::size_t>(boards.label(i) + 1);
    CHECK(pixels[0] != pixels[16 * square]);
    CHECK(pixels[0] == pixels[16 * (square - 1)]);
  }
}

TEST_CASE("Checkerboards of one seed are the same, and others of another seed") {
  auto const pixels = [](std::uint64_t seed) {
    auto const boards = data::checkerboards(4, 8, {.seed = seed});
    return boards.pixels(3);
  };
  CHECK(pixels(1) == pixels(1));
  CHECK(pixels(1) != pixels(2));
}

TEST_CASE("The experiments know checkerboards by name") {
  auto const& set = experiments::data_set("checkerboards");
  auto const loaded = set.load(set, {});
  CHECK(loaded.pictures.train.size() == set.parts.train);
  CHECK(loaded.factors.column(loaded.factors.test, 0) == loaded.pictures.test.labels());
}

TEST_CASE("Checkerboards without a picture are refused") {
  CHECK_THROWS_WITH(data::checkerboards(0, 8, {}), contains("checkerboards") && contains("0 and 8"));
}

}  // namespace diffsiam::test
