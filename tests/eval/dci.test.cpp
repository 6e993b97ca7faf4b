#include <cmath>

#include <tests/eval/codes.hpp>
#include <tests/support/catch.hpp>

#include <diffsiam/eval/dci.hpp>

using namespace diffsiam;
using namespace diffsiam::eval;
using test::Approx;
using test::contains;
using test::LevelGrid;

TEST_CASE("disentanglement and completeness of importances by hand") {
  Eigen::MatrixXd importance(3, 2);
  importance << 3, 0, 1, 1, 0, 0;
  ImportanceScores const scores = importance_scores(importance);
  REQUIRE(scores.per_part == std::vector<double>{1, 0, 0});
  REQUIRE(scores.disentanglement == Approx(3.0 / 5));
  double const spread = -(0.75 * std::log(0.75) + 0.25 * std::log(0.25)) / std::log(3.0);
  REQUIRE(scores.per_factor[0] == Approx(1 - spread));
  REQUIRE(scores.per_factor[1] == 1);
  REQUIRE(scores.completeness == Approx(1 - spread / 2));
  ImportanceScores const none = importance_scores(Eigen::MatrixXd::Zero(2, 2));
  REQUIRE(none.disentanglement == 0);
  REQUIRE(none.completeness == 0);
  REQUIRE(importance_scores(Eigen::MatrixXd::Ones(1, 1)).disentanglement == 1);
  REQUIRE_THROWS_AS(importance_scores(Eigen::MatrixXd(0, 2)), ShapeError);
  REQUIRE_THROWS_AS(importance_scores(Eigen::MatrixXd::Constant(1, 1, NAN)), RangeError);
}

TEST_CASE("DCI is 1 for a dim a factor beside noise, and 0 for factors turned by 45 degrees") {
  LevelGrid const train = test::perfect({2, 3, 4}, 50, 6, 1), test = test::perfect({2, 3, 4}, 20, 6, 2);
  DciResult const one = dci(train.factored(), test.factored(), DimGroups::each(6));
  REQUIRE(one.scores.disentanglement == Approx(1));
  REQUIRE(one.scores.completeness == Approx(1));
  REQUIRE(one.importance(4, 1) == 0);
  REQUIRE(one.scores.per_part[4] == 0);
  REQUIRE(one.converged);
  REQUIRE(one.accuracy[0] == 1);
  // Indicators cannot name the two middle ones of four levels in line.
  REQUIRE(one.accuracy[2] == 0.5);
  REQUIRE(one.error() == Approx(1 - (1 + one.accuracy[1] + 0.5) / 3));

  LevelGrid const turned = test::rotated(4, 30);
  DciResult const mixed = dci(turned.factored(), turned.factored(), DimGroups::each(2));
  REQUIRE(mixed.scores.disentanglement < 0.01);  // not 0 where the two factors' strengths differ
  REQUIRE(mixed.scores.completeness < 1e-6);
  REQUIRE(dci(turned.factored(), turned.factored(), {{2}}).scores.completeness == 1);
}

TEST_CASE("a factor stored twice costs completeness alone, unless the copies are exact") {
  auto const twice = [](float spread) {
    return LevelGrid{{2, 2}, 300, 3, [=](int const* level, Index i, Index j) {
                       return static_cast<float>(level[j / 2]) + spread * test::noise(i, j);
                     }};
  };
  LevelGrid const noisy = twice(0.5F), exact = twice(0);
  DciResult const result = dci(noisy.factored(), noisy.factored(), DimGroups::each(3));
  REQUIRE(result.scores.disentanglement > 0.9);
  REQUIRE(result.scores.per_factor[0] == Approx(1 - std::log(2.0) / std::log(3.0)).margin(0.03));
  REQUIRE(result.scores.per_factor[1] > 0.9);
  DciResult const groups = dci(noisy.factored(), noisy.factored(), {{2, 3}});
  REQUIRE(groups.importance(0, 0) == Approx(result.importance(0, 0) + result.importance(1, 0)));
  REQUIRE(groups.scores.per_factor[0] > 0.9);
  // Of equal dims coordinate descent takes the first.
  REQUIRE(dci(exact.factored(), exact.factored(), DimGroups::each(3)).importance(1, 0) < 1e-9);
}

TEST_CASE("codes that tell nothing have no importance and the accuracy of the most frequent level") {
  LevelGrid const flat = test::constant({2, 4}, 20, 3);
  DciResult const none = dci(flat.factored(), flat.factored(), DimGroups::each(3));
  REQUIRE(none.scores.disentanglement == 0);
  REQUIRE(none.scores.completeness == 0);
  REQUIRE(none.informativeness == Approx((0.5 + 0.25) / 2));
  LevelGrid const noise = test::unrelated({2, 4}, 200, 8, 1), unseen = test::unrelated({2, 4}, 100, 8, 2);
  DciResult const random = dci(noise.factored(), unseen.factored(), DimGroups::each(8));
  REQUIRE(random.importance.maxCoeff() < 0.1);
  REQUIRE(random.informativeness < 0.45);
}

TEST_CASE("DCI has the same bits for any number of threads, and checks what it is given") {
  LevelGrid const train = test::perfect({2, 3, 4}, 10, 9, 1), test = test::perfect({2, 3, 4}, 5, 9, 2);
  ThreadPool pool{3};
  DciResult const a = dci(train.factored(), test.factored(), {{4, 9}}, {.seed = 5}, &pool);
  DciResult const b = dci(train.factored(), test.factored(), {{4, 9}}, {.seed = 5});
  REQUIRE(a.importance == b.importance);
  REQUIRE(a.strength == b.strength);
  REQUIRE(a.accuracy == b.accuracy);

  LevelGrid const few = test::perfect({2, 2}, 1, 4);
  REQUIRE_THROWS_WITH(
      dci(few.factored(), few.factored(), DimGroups::each(4)),
      contains("dci") && contains("more training samples than the 4 dims") && contains("got 4"));
  auto const with = [&](IndicatorLassoConfig const& config) {
    (void)dci(train.factored(), test.factored(), DimGroups::each(9), config);
  };
  REQUIRE_THROWS_AS(with({.strengths = {}}), ConfigError);
  REQUIRE_THROWS_AS(with({.strengths = {0.1, -1}}), ConfigError);
  REQUIRE_THROWS_AS(with({.slack = NAN}), ConfigError);
  REQUIRE_THROWS_AS(dci(train.factored(), test.factored(), DimGroups::each(8)), ConfigError);
  LevelGrid bad = train;
  bad.code[12] = NAN;
  REQUIRE_THROWS_WITH(dci(bad.factored(), test.factored(), DimGroups::each(9)),
                      contains("dimension 3 of sample 1"));
}
