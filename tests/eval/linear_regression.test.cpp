// Regression against scikit-learn and scipy.
#include <cmath>
#include <vector>

#include <tests/eval/blobs.hpp>
#include <tests/eval/waves.hpp>
#include <tests/support/catch.hpp>

#include <diffsiam/eval/linear_regression.hpp>

using namespace diffsiam;
using namespace diffsiam::eval;
using test::Approx;
using test::contains;
using test::waves;

namespace {

/// Two targets of waves: x_0 x_1 + x_2 and 10 x_3^3.
struct Part {
  std::vector<float> values, targets;
  Index count;

  Part(Index first, Index samples) : values(waves(first, samples, 8)), count(samples) {
    for (Index i = 0; i < count; ++i) {
      float const* const x = values.data() + i * 8;
      targets.insert(targets.end(), {x[0] * x[1] + x[2], 10 * x[3] * x[3] * x[3]});
    }
  }
  [[nodiscard]] Measured measured() const { return {{values, count, 8}, targets, 2}; }
};

Part const train{0, 300}, validation{300, 100}, unseen{400, 200};

}  // namespace

TEST_CASE("Regression reaches what scikit-learn's Ridge does") {
  // Z standardised by the training part; r = Ridge(alpha=300 * s).fit(Z[train], T[train]) for s in 1, .1,
  // .01: np.mean(((r.predict(Z[val]) - T[val])**2).mean(0) / T[train].var(0)) = .28988, .060982, .051796
  auto const result = linear_regression(train.measured(), validation.measured(), unseen.measured(),
                                        {.strengths = {0.1, 1, 0.01}});
  CHECK(result.strength == 0.01);
  CHECK(result.validation_error == Approx(0.051795612).epsilon(1e-4));
  // pearsonr(r.predict(Z[test])[:, k], T[test, k])[0], ((r.predict(Z[test]) - T[test])**2).mean(0)
  REQUIRE(result.pearson_r.size() == 2);
  CHECK(result.pearson_r[0] == Approx(0.9665519421).epsilon(1e-6));
  CHECK(result.pearson_r[1] == Approx(0.9413766121).epsilon(1e-6));
  CHECK(result.squared_error[0] == Approx(0.01763424).epsilon(1e-4));
  CHECK(result.squared_error[1] == Approx(3.59773601).epsilon(1e-5));
  CHECK(result.mean_pearson_r == Approx((0.9665519421 + 0.9413766121) / 2).epsilon(1e-6));
  CHECK(result.mean_squared_error == Approx((0.01763424 + 3.59773601) / 2).epsilon(1e-5));
  CHECK(result.predictions.size() == 400);
  auto const strong =
      linear_regression(train.measured(), validation.measured(), unseen.measured(), {.strengths = {1}});
  CHECK(strong.validation_error == Approx(0.289878493).epsilon(1e-4));
  CHECK(strong.squared_error[1] == Approx(10.35954215).epsilon(1e-5));
}

TEST_CASE("Where features tell nothing, validation asks for the most strength") {
  test::Blobs const few(40, 30, 2, 0, 1), held_out(200, 30, 2, 0, 2), other(200, 30, 2, 0, 3);
  std::vector<float> const a = waves(0, 40, 1), b = waves(0, 200, 1);
  auto const result = linear_regression({few.features(), a, 1}, {held_out.features(), b, 1},
                                        {other.features(), b, 1}, {.strengths = {1e-4, 1e-2, 1, 100}});
  CHECK(result.strength == 100);
  CHECK(result.validation_error == Approx(1).margin(0.1));
  CHECK(std::abs(result.mean_pearson_r) < 0.25);
  // A target's unit does not matter to the choice.
  ThreadPool pool{3};
  std::vector<float> large = b, large_train = a;
  for (float& value : large) value *= 1000;
  for (float& value : large_train) value *= 1000;
  auto const scaled =
      linear_regression({few.features(), large_train, 1}, {held_out.features(), large, 1},
                        {other.features(), large, 1}, {.strengths = {1e-4, 1e-2, 1, 100}}, &pool);
  CHECK(scaled.strength == 100);
  CHECK(scaled.validation_error == Approx(result.validation_error).epsilon(1e-4));
}

TEST_CASE("Constant features leave the training mean, which correlates with nothing") {
  std::vector<float> const same(300 * 8, 2), same_later(200 * 8, 2);
  auto const result =
      linear_regression({{same, 300, 8}, train.targets, 2}, {{same_later, 200, 8}, unseen.targets, 2},
                        {{same_later, 200, 8}, unseen.targets, 2});
  CHECK(std::isnan(result.pearson_r[0]));
  CHECK(result.mean_pearson_r == 0);
  CHECK(result.validation_error == Approx(1).margin(0.1));
}

TEST_CASE("Regression refuses what it cannot measure") {
  Measured const a = train.measured(), b = validation.measured(), c = unseen.measured();
  Part flat = unseen;
  for (std::size_t i = 1; i < flat.targets.size(); i += 2) flat.targets[i] = 3;
  CHECK_THROWS_WITH(linear_regression(a, b, flat.measured()),
                    contains("linear_regression: expected test targets that vary") && contains("target 1"));
  CHECK_THROWS_WITH(linear_regression(flat.measured(), b, c), contains("training targets that vary"));
  CHECK_NOTHROW(linear_regression(a, flat.measured(), c));
  flat.targets[5] = NAN;
  CHECK_THROWS_AS(linear_regression(a, b, flat.measured()), NumericError);
  CHECK_THROWS_WITH(linear_regression(a, b, {c.features, c.values, 1}),
                    contains("test targets (200, 2)") && contains("1 targets"));
  CHECK_THROWS_AS(linear_regression(a, b, {{unseen.values, 400, 4}, std::vector<float>(800, 1), 2}), Error);
  CHECK_THROWS_AS(linear_regression(a, {{validation.values, 200, 4}, flat.targets, 2}, c), Error);
  CHECK_THROWS_AS(linear_regression(a, b, c, {.strengths = {}}), ConfigError);
  CHECK_THROWS_AS(linear_regression(a, b, c, {.strengths = {0}}), ConfigError);
}
