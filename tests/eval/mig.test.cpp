#include <cmath>

#include <tests/eval/codes.hpp>
#include <tests/support/catch.hpp>

#include <diffsiam/eval/mig.hpp>

using namespace diffsiam;
using namespace diffsiam::eval;
using test::Approx;
using test::contains;
using test::LevelGrid;

TEST_CASE("MIG is 1 for a dim a factor, 0 for a factor stored twice, turned by 45 degrees or nowhere") {
  MigResult const one = mig(test::perfect({2, 3, 5}, 2, 3).factored());
  REQUIRE(one.score == Approx(1));
  REQUIRE(one.best == std::vector<Index>{0, 1, 2});
  REQUIRE(one.entropy[2] == Approx(std::log(5.0)));
  REQUIRE(one.information(2, 2) == Approx(std::log(5.0)));

  LevelGrid const twice{
      {3, 4}, 3, 3, [](int const* level, Index, Index j) { return static_cast<float>(level[j / 2]); }};
  MigResult const redundant = mig(twice.factored());  // dims: first, first, second factor
  REQUIRE(redundant.per_factor[0] == Approx(0).margin(1e-12));
  REQUIRE(redundant.per_factor[1] == Approx(1));
  REQUIRE(redundant.score == Approx(0.5));

  REQUIRE(mig(test::rotated(4, 2).factored()).score == Approx(0).margin(1e-12));
  REQUIRE(mig(test::unrelated({2, 3}, 500, 6).factored()).score < 0.01);
  REQUIRE(mig(test::constant({2, 3}, 5, 4).factored()).score == 0);
  REQUIRE(mig(LevelGrid{{2}, 3, 1, [](int const* level, Index, Index) { return static_cast<float>(*level); }}
                  .factored())
              .score == Approx(1));
}

TEST_CASE("a group's information is what a linear layer reads of it on samples it has not seen") {
  // Two factors turned within the first group, the third alone in the second.
  auto const dim = [](std::uint64_t seed) {
    return [=](int const* level, Index i, Index j) {
      auto const turned = static_cast<float>(j == 0 ? level[0] + level[1] : level[0] - level[1]);
      return (j < 2 ? turned : static_cast<float>(level[2])) + 0.01F * test::noise(i, j, seed);
    };
  };
  LevelGrid const train{{3, 4, 2}, 20, 3, dim(1)}, test{{3, 4, 2}, 10, 3, dim(2)};
  MigResult const groups = group_mig(train.factored(), test.factored(), {{2, 3}});
  REQUIRE(groups.score == Approx(1).margin(1e-9));
  REQUIRE(groups.best == std::vector<Index>{0, 0, 1});
  REQUIRE(group_mig(train.factored(), test.factored(), DimGroups::each(3)).per_factor[0] < 0.5);
  ThreadPool pool{3};
  REQUIRE(group_mig(train.factored(), test.factored(), {{2, 3}}, &pool).information == groups.information);

  // The parity of two binary dims determines the factor, but no linear layer tells.
  LevelGrid parity{
      {2, 2}, 50, 2, [](int const* level, Index, Index j) { return static_cast<float>(level[j]); }};
  for (std::size_t i = 0; i < parity.values.size(); i += 2) parity.values[i] ^= parity.values[i + 1];
  REQUIRE(group_mig(parity.factored(), parity.factored(), {{2}}).information(0, 0) < 1e-9);
}

TEST_CASE("a constant group tells nothing, and a group as wide as the samples are many is refused") {
  LevelGrid const flat = test::constant({2, 3}, 5, 4);
  REQUIRE(group_mig(flat.factored(), flat.factored(), {{2, 4}}).score == 0);
  LevelGrid const few = test::perfect({2, 2}, 1, 5), narrow = test::perfect({2, 2}, 1, 3);
  REQUIRE_THROWS_WITH(group_mig(few.factored(), few.factored(), {{1, 5}}),
                      contains("group_mig") && contains("the 4 dims of group 1") && contains("got 4"));
  REQUIRE_NOTHROW(group_mig(narrow.factored(), narrow.factored(), {{3}}));
  REQUIRE_THROWS_AS(group_mig(narrow.factored(), narrow.factored(), {{2}}), ConfigError);
  REQUIRE_THROWS_AS(group_mig(narrow.factored(), few.factored(), {{3}}), ShapeError);
}
