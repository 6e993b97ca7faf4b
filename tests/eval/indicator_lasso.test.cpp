#include <tests/eval/codes.hpp>
#include <tests/support/catch.hpp>

#include <diffsiam/eval/indicator_lasso.hpp>

using namespace diffsiam;
using namespace diffsiam::eval;
using test::Approx;
using test::contains;

TEST_CASE("the held-out error from moments is that of the samples") {
  test::Reference seen, held;
  for (std::size_t i = 0; i < held.levels.size(); ++i)
    held.levels[i] = (held.levels[i] + (i % 3 == 0 ? 1 : 0)) % 4;
  for (std::size_t i = 0; i < held.values.size(); ++i) held.values[i] = 1.5F - 2 * seen.values[i];
  LevelMoments const fit = LevelMoments::of(seen.factored()), other = LevelMoments::of(held.factored());
  Eigen::VectorXd w(5);
  w << 0.5, -1, 0, 0.25, 2;
  for (Index level = 0; level < 5; ++level) {  // the last does not occur
    auto const is_at = [&](int value) { return value == level ? 1.0 : 0.0; };
    double share = 0, error = 0;
    for (int const value : seen.levels) share += is_at(value) / 60;
    for (Index i = 0; i < 60; ++i) {
      double predicted = share;
      for (Index j = 0; j < 5; ++j) predicted += w[j] * (static_cast<double>(held.at(i, j)) - fit.mean[j]);
      double const distance = is_at(held.levels[static_cast<std::size_t>(i)]) - predicted;
      error += distance * distance / 60;
    }
    REQUIRE(diffsiam::eval::detail::indicator_error(fit, other, 0, level, w) == Approx(error).epsilon(1e-5));
  }
}

TEST_CASE("the strength is the greatest that costs little, the intercept the share of a level") {
  test::LevelGrid const clear{{2}, 200, 2, [](int const* level, Index i, Index j) {
                                return j == 0 ? static_cast<float>(2 * level[0] - 1) : test::noise(i, j);
                              }};
  IndicatorLassoConfig const config{.strengths = {0.001, 0.4, 0.1}};
  // Of strength a is left (a / .5)^2 of the variance: .04 for .1, nearly nothing for .001.
  REQUIRE(indicator_lasso(clear.factored(), config)[0].strength == 0.001);
  IndicatorLasso const loose =
      indicator_lasso(clear.factored(), {.strengths = {0.001, 0.4, 0.1}, .slack = 0.05})[0];
  REQUIRE(loose.strength == 0.1);
  REQUIRE(loose.weights(0, 1) == Approx(0.5 - 0.1));
  REQUIRE(loose.weights(1, 1) == 0);
  REQUIRE(loose.weights(2, 1) == Approx(0.5));

  test::LevelGrid rare = test::constant({4}, 10, 1);
  for (int& level : rare.values) level = level == 0 ? 0 : 1;
  IndicatorLasso const flat = indicator_lasso(rare.factored())[0];
  REQUIRE(flat.weights(1, 0) == Approx(0.25));
  REQUIRE(softmax_predict(rare.features(), flat.weights) == std::vector<int>(40, 1));
  test::LevelGrid const few = test::perfect({3}, 1, 1);
  REQUIRE_THROWS_WITH(indicator_lasso(few.factored()), contains("at least 4") && contains("got 3"));
}
