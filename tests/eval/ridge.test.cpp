// Ridge regression against scikit-learn.
#include <cmath>
#include <vector>

#include <tests/eval/waves.hpp>
#include <tests/support/catch.hpp>

#include <diffsiam/eval/ridge.hpp>

using namespace diffsiam;
using namespace diffsiam::eval;
using test::Approx;
using test::contains;
using test::waves;

namespace {

std::vector<float> const x = waves(0, 60, 6), y = waves(7, 60, 2), later_x = waves(60, 14, 6);
Features const first{x, 60, 6}, later{later_x, 14, 6};

}  // namespace

TEST_CASE("Ridge weights are those of scikit-learn, of all columns or some") {
  RidgeSystem const system{first, y};
  // Ridge(alpha=60 * .05).fit(waves(0, 60, 6), waves(7, 60, 2)): coef_.T, then intercept_
  double const all[7][2] = {{-0.7682338, 0.01013402}, {-0.00395131, 0.41378185}, {-0.00393255, -0.01143335},
                            {0.00432354, -0.0058908}, {0.00439149, 0.00652734},  {-0.00303416, 0.00704587},
                            {-0.02076409, 0.00148479}};
  RidgeWeights const full = system.solve({0, 6}, 0.05);
  REQUIRE(full.values.rows() == 7);
  for (Index i = 0; i < 7; ++i)
    for (Index j = 0; j < 2; ++j) CHECK(full.values(i, j) == Approx(all[i][j]).margin(2e-7));
  // Ridge(alpha=60 * .2).fit(waves(0, 60, 6)[:, 2:5], ...)
  double const some[4][2] = {{-0.00539945, -0.04012656},
                             {-0.00596007, -0.01088434},
                             {0.00367167, 0.01621593},
                             {-0.08730558, 0.0051707}};
  RidgeWeights const part = system.solve({2, 5}, 0.2);
  for (Index i = 0; i < 4; ++i)
    for (Index j = 0; j < 2; ++j) CHECK(part.values(i, j) == Approx(some[i][j]).margin(2e-7));
  // ... .predict(waves(60, 2, 6)[:, 2:5])
  std::vector<float> const predicted = ridge_predict(later, part);
  double const expected[4] = {-0.09549069, -0.047168, -0.09537665, -0.02731659};
  for (std::size_t i = 0; i < 4; ++i)
    CHECK(static_cast<double>(predicted[i]) == Approx(expected[i]).margin(2e-7));
}

TEST_CASE("A constant column gets no weight, and threads change no bit") {
  std::vector<float> values = waves(0, 3000, 70);
  for (std::size_t i = 3; i < values.size(); i += 70) values[i] = 5;
  std::vector<float> const targets = waves(3, 3000, 3);
  Features const features{values, 3000, 70};
  ThreadPool pool{3};
  auto const alone = RidgeSystem{features, targets}.solve({0, 70}, 1e-3);
  auto const together = RidgeSystem{features, targets, &pool}.solve({0, 70}, 1e-3);
  CHECK(alone.values == together.values);
  CHECK(ridge_predict(features, alone) == ridge_predict(features, alone, &pool));
  CHECK(alone.values.row(3).cwiseAbs().maxCoeff() < 1e-12);
  CHECK(alone.values.allFinite());
}

TEST_CASE("Ridge refuses what does not fit") {
  RidgeSystem const system{first, y};
  CHECK_THROWS_WITH(system.solve({2, 7}, 1), contains("columns within [0, 6)") && contains("[2, 7)"));
  CHECK_THROWS_AS(system.solve({2, 2}, 1), RangeError);
  CHECK_THROWS_AS(system.solve({0, 6}, 0), ConfigError);
  CHECK_THROWS_AS(ridge_predict({later_x, 42, 2}, system.solve({2, 5}, 1)), ShapeError);
  std::vector<float> const wrong(61), bad(60, NAN);
  CHECK_THROWS_WITH((RidgeSystem{first, wrong}), contains("RidgeSystem") && contains("61 values"));
  CHECK_THROWS_AS((RidgeSystem{first, bad}), NumericError);
}

TEST_CASE("Equal columns share the weight down to strengths of rounding, which are refused") {
  auto const half = waves(0, 60, 3), target = waves(7, 60, 1);
  std::vector<float> twice;
  for (std::size_t i = 0; i < 180; i += 3)
    for (std::size_t j = 0; j < 6; ++j) twice.push_back(half[i + j % 3]);
  RidgeSystem const system{{twice, 60, 6}, target};
  // Ridge(alpha=60e-10, solver="svd").fit(np.hstack([x, x]), waves(7, 60, 1)).coef_
  double const expected[3] = {-0.42357296, -0.00482565, -0.00253226};
  RidgeWeights const weights = system.solve({0, 6}, 1e-10);
  for (Index j = 0; j < 6; ++j) CHECK(weights.values(j, 0) == Approx(expected[j % 3]).margin(1e-6));
  CHECK_THROWS_WITH(system.solve({0, 6}, 1e-300),
                    contains("2^-52 of the greatest variance") && contains("depend on each other"));
  CHECK_THROWS_AS(system.solve({0, 6}, INFINITY), ConfigError);
  CHECK_THROWS_AS(ridge_predict({twice, 60, 6}, {{-1, 2}, weights.values}), ShapeError);
}
