#include <cmath>

#include <tests/eval/codes.hpp>
#include <tests/support/catch.hpp>

#include <diffsiam/eval/factor_vae.hpp>

using namespace diffsiam;
using namespace diffsiam::eval;
using test::Approx;
using test::contains;
using test::LevelGrid;

namespace {

double score(LevelGrid const& train, LevelGrid const& test, DimGroups const& groups) {
  return factor_vae(train.factored(), test.factored(), groups, {.train_votes = 1000, .test_votes = 500})
      .score;
}

}  // namespace

TEST_CASE("the part that varies least is found, relative to its variance in all") {
  // Variances in all: 1, 100, .01 and 0.
  std::vector<float> const all{-1, -10, -0.1F, 7, 1, 10, 0.1F, 7};
  LeastVarying const least = LeastVarying::fit({all, 2, 4}, DimGroups::each(4), 0);
  REQUIRE_FALSE(least.pruned(2));
  REQUIRE(least.pruned(3));
  // Relative variances .25, .04 and 1.
  std::vector<float> const batch{0, 1, 0, 7, 1, 5, 0.2F, 7};
  REQUIRE(least({batch, 2, 4}) == 1);
  REQUIRE(LeastVarying::fit({all, 2, 4}, {{1, 3, 4}}, 0)({batch, 2, 4}) ==
          0);  // .25 and the mean of .04 and 1
  // The mean variance is 25.25: dims 0 and 2 have less than .05 of it.
  LeastVarying const pruned = LeastVarying::fit({all, 2, 4}, DimGroups::each(4));
  REQUIRE(pruned.pruned(0));
  REQUIRE_FALSE(pruned.pruned(1));
  REQUIRE_THROWS_WITH(least({batch, 1, 8}),
                      contains("LeastVarying") && contains("4 dims") && contains("(1, 8)"));
  REQUIRE_THROWS_AS(LeastVarying::fit({all, 2, 4}, {{3}}), ConfigError);
  REQUIRE_THROWS_AS(LeastVarying::fit({all, 2, 4}, {{4}}, 2), ConfigError);
}

TEST_CASE("votes are judged by the majority of those for training") {
  FixedFactorVotes train{3, 2}, test{3, 2};
  train.counts << 8, 2, 1, 4, 0, 0;
  test.counts << 3, 1, 1, 2, 2, 0;  // the last part had no training vote
  test.add(-1, 0);
  FactorVaeResult const result = factor_vae_score(train, test);
  REQUIRE(result.factor_of == std::vector<int>{0, 1, -1});
  REQUIRE(result.train_accuracy == Approx(12.0 / 15));
  REQUIRE(result.score == Approx(5.0 / 10));
  REQUIRE_THROWS_WITH(test.add(3, 0), contains("[-1, 3)") && contains("3 and 0"));
  REQUIRE_THROWS_AS(factor_vae_score(train, FixedFactorVotes(2, 2)), ShapeError);
  REQUIRE_THROWS_AS(factor_vae_score(train, FixedFactorVotes(3, 2)), RangeError);
}

TEST_CASE("the FactorVAE score of known codes: perfect, stored twice, turned, unrelated, constant") {
  DimGroups const two = DimGroups::each(2), three = DimGroups::each(3);
  auto const noisy = [](std::uint64_t seed) {
    return LevelGrid{{3, 4}, 20, 3, [=](int const* level, Index i, Index j) {
                       return static_cast<float>(level[(j + 1) / 2]) + 0.1F * test::noise(i, j, seed);
                     }};
  };
  LevelGrid const perfect = test::perfect({2, 3, 4}, 20, 3);
  REQUIRE(score(perfect, perfect, three) == 1);
  REQUIRE(score(noisy(1), noisy(2), three) > 0.99);  // the second factor in two dims
  REQUIRE(score(noisy(1), noisy(2), {{1, 3}}) > 0.99);
  LevelGrid const turned = test::rotated(6, 10);
  REQUIRE(score(turned, turned, two) == Approx(0.5).margin(0.1));
  REQUIRE(score(test::unrelated({2, 2, 2}, 100, 3, 1), test::unrelated({2, 2, 2}, 100, 3, 2), three) ==
          Approx(1.0 / 3).margin(0.1));
  LevelGrid const flat = test::constant({2, 3}, 5, 2);
  REQUIRE(score(flat, flat, two) == 0);
}

TEST_CASE("the FactorVAE score has the same bits for any number of threads, and hangs on its seed") {
  LevelGrid const turned = test::rotated(4, 10);
  ThreadPool pool{3};
  FactorVaeConfig const config{.train_votes = 300, .test_votes = 200, .seed = 3};
  auto const run = [&](FactorVaeConfig const& with, ThreadPool* threads) {
    return factor_vae(turned.factored(), turned.factored(), DimGroups::each(2), with, threads).score;
  };
  REQUIRE(run(config, nullptr) == run(config, &pool));
  REQUIRE(run(config, nullptr) != run({.train_votes = 300, .test_votes = 200, .seed = 4}, nullptr));
}

TEST_CASE("votes that cannot be gathered are refused") {
  std::vector<float> const code{0, 1, 2};
  std::vector<int> const levels{0, 1, 2};
  Factored const single{{code, 3, 1}, {levels, 3, 1}};
  REQUIRE_THROWS_WITH(factor_vae(single, single, {{1}}), contains("factor 0 with two samples"));
  LevelGrid const good = test::perfect({2, 2}, 2, 2);
  REQUIRE_THROWS_AS(factor_vae(good.factored(), good.factored(), {{2}}, {.batch = 1}), ConfigError);
  REQUIRE_THROWS_AS(factor_vae(good.factored(), good.factored(), {{2}}, {.test_votes = 0}), ConfigError);
  REQUIRE_THROWS_AS(factor_vae(good.factored(), good.factored(), {{1}}), ConfigError);
}
