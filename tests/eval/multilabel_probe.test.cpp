// The probe of many attributes against scikit-learn.
#include <cmath>
#include <vector>

#include <tests/eval/blobs.hpp>
#include <tests/eval/waves.hpp>
#include <tests/support/catch.hpp>

#include <diffsiam/eval/multilabel_probe.hpp>

using namespace diffsiam;
using namespace diffsiam::eval;
using test::Approx;
using test::contains;
using test::waves;

namespace {

/// Three attributes of waves: x_0 + x_1 > .5, x_2 x_3 > .1, x_4 - x_0 x_0 > .2.
struct AttributedPart {
  std::vector<float> values;
  std::vector<int> positive;
  Index count;

  AttributedPart(Index first, Index samples) : values(waves(first, samples, 8)), count(samples) {
    for (Index i = 0; i < count; ++i) {
      float const* const x = values.data() + i * 8;
      positive.insert(positive.end(), {x[0] + x[1] > 0.5F ? 1 : 0, x[2] * x[3] > 0.1F ? 1 : 0,
                                       x[4] - x[0] * x[0] > 0.2F ? 1 : 0});
    }
  }
  [[nodiscard]] Attributed attributed() const { return {{values, count, 8}, positive, 3}; }
};

struct Parts {
  AttributedPart train{0, 300}, validation{300, 100}, unseen{400, 200};
};
Parts const parts;

}  // namespace

TEST_CASE("The probe of attributes reaches what scikit-learn does") {
  // Z standardised by the training part; for d in the decays and attribute k
  //   LogisticRegression(C=1/(300 * d), tol=1e-10, max_iter=10000).fit(Z[train], A[train, k])
  // has a mean average_precision_score on validation data of .99433, .99477, .99494 and .99319.
  MultilabelProbeConfig const config{
      .weight_decays = {1e-1, 1e-2, 1e-3, 1e-4}, .most_steps = 500, .tolerance = 1e-8};
  auto const result = multilabel_probe(parts.train.attributed(), parts.validation.attributed(),
                                       parts.unseen.attributed(), config);
  CHECK(result.weight_decay == 1e-3);
  CHECK(result.validation_mean_average_precision == Approx(0.9949434).margin(2e-4));
  REQUIRE(result.average_precision.size() == 3);
  CHECK(result.average_precision[0] == Approx(0.9800929).margin(1e-3));
  CHECK(result.average_precision[1] == Approx(0.9693618).margin(1e-3));
  CHECK(result.average_precision[2] == Approx(0.8585379).margin(1e-3));
  CHECK(result.mean_average_precision == Approx((0.9800929 + 0.9693618 + 0.8585379) / 3).margin(1e-3));
  CHECK(result.converged);
  // Of k = 2, .coef_[0]. Sums of floats leave the third digit after the point, and near ranks may change
  // places.
  auto const direction = result.classifier.direction(2);
  double const coefficients[8] = {1.36516292, 3.09330716, 0.6162136,   1.48332349,
                                  5.03966019, 2.19423915, -0.68425636, 1.33935386};
  for (std::size_t j = 0; j < 8; ++j)
    CHECK(static_cast<double>(direction[j]) == Approx(coefficients[j]).margin(4e-3));
  CHECK(mean_average_precision(result.classifier.scores(parts.unseen.attributed().features),
                               parts.unseen.positive, 3) == Approx(result.mean_average_precision));
}

TEST_CASE("The logistic gradient is that of its loss") {
  GeneralisedRegression<eval::detail::LogisticLink> regression{
      parts.train.attributed().features, 3, {parts.train.positive}};
  RegressionWeights w(9, 3), gradient, ignored;
  for (Index i = 0; i < w.size(); ++i) w.data()[i] = std::sin(static_cast<double>(i));
  CHECK(regression.evaluate(RegressionWeights::Zero(9, 3), 0, ignored) == Approx(3 * std::log(2.0)));
  regression.evaluate(w, 0.1, gradient);
  for (Index i : {0, 4, 8, 13, 26}) {
    RegressionWeights up = w, down = w;
    up.data()[i] += 1e-2;
    down.data()[i] -= 1e-2;
    double const slope =
        (regression.evaluate(up, 0.1, ignored) - regression.evaluate(down, 0.1, ignored)) / 2e-2;
    CHECK(gradient.data()[i] == Approx(slope).margin(2e-4));
  }
  // Sure and right costs nothing, sure and wrong its margin; nothing overflows.
  std::vector<int> const truth{1, 0, 1};
  float row[3] = {200, 200, -300};
  CHECK(eval::detail::LogisticLink{truth}.residual(row, 3, 0) == Approx(500));
  CHECK(row[0] == Approx(0).margin(1e-30));
  CHECK(row[1] == 1);
  CHECK(row[2] == -1);
}

TEST_CASE("Threads change no bit of the probe, and the choice does not see test data") {
  ThreadPool pool{3};
  test::Blobs const many(2500, 8, 2, 1, 1), few(300, 8, 2, 1, 2), other(300, 8, 2, -1, 3);
  auto const part = [](test::Blobs const& blobs) { return Attributed{blobs.features(), blobs.labels, 1}; };
  auto const alone = multilabel_probe(part(many), part(few), part(few));
  auto const together = multilabel_probe(part(many), part(few), part(few), {}, &pool);
  CHECK(alone.classifier.direction(0) == together.classifier.direction(0));
  CHECK(alone.average_precision == together.average_precision);
  auto const elsewhere = multilabel_probe(part(many), part(few), part(other));
  CHECK(elsewhere.weight_decay == alone.weight_decay);
  CHECK(elsewhere.classifier.direction(0) == alone.classifier.direction(0));
  CHECK(elsewhere.mean_average_precision < alone.mean_average_precision);
}

TEST_CASE("The probe of attributes refuses what it cannot score") {
  auto const probe = [](Attributed const& a, Attributed const& b, Attributed const& c,
                        MultilabelProbeConfig const& config = {}) {
    return multilabel_probe(a, b, c, config);
  };
  Attributed const a = parts.train.attributed(), b = parts.validation.attributed(),
                   c = parts.unseen.attributed();
  AttributedPart lacking = parts.unseen;
  for (std::size_t i = 1; i < lacking.positive.size(); i += 3) lacking.positive[i] = 0;
  CHECK_THROWS_AS(probe(a, b, lacking.attributed()), RangeError);
  CHECK_THROWS_WITH(probe(a, b, lacking.attributed()),
                    contains("multilabel_probe: expected a positive for each attribute") &&
                        contains("none with attribute 1 among the test data"));
  CHECK_THROWS_WITH(probe(a, lacking.attributed(), c), contains("among the validation data"));
  CHECK_THROWS_WITH(probe(lacking.attributed(), b, c), contains("none with attribute 1 among the training"));
  for (std::size_t i = 1; i < lacking.positive.size(); i += 3) lacking.positive[i] = 1;
  CHECK_THROWS_WITH(probe(lacking.attributed(), b, c), contains("none without attribute 1"));
  CHECK(probe(a, b, lacking.attributed()).average_precision[1] == 1);
  lacking.positive[7] = 2;
  CHECK_THROWS_WITH(probe(a, b, lacking.attributed()), contains("2 of test sample 2"));
  CHECK_THROWS_AS(probe(a, b, {c.features, c.positive, 2}), ShapeError);
  CHECK_THROWS_AS(probe(a, b, {{parts.unseen.values, 400, 4}, std::vector<int>(1200, 1), 3}), ShapeError);
  CHECK_THROWS_AS(probe(a, b, c, {.weight_decays = {}}), ConfigError);
  CHECK_THROWS_AS(probe(a, b, c, {.weight_decays = {-1}}), ConfigError);
}
