#include <cmath>

#include <tests/eval/blobs.hpp>
#include <tests/support/catch.hpp>

#include <diffsiam/eval/linear_probe.hpp>

using namespace diffsiam;
using namespace diffsiam::eval;
using test::Approx;
using test::Blobs;
using test::contains;

TEST_CASE("the gradient of softmax regression is that of its loss") {
  Blobs const data{1500, 4, 3, 1, 5};  // two blocks
  SoftmaxRegression regression{data.labelled(), 3};
  SoftmaxWeights w(5, 3), gradient, ignored;
  for (Index i = 0; i < w.size(); ++i)
    w(i) = static_cast<double>(Rng{.seed = 2}.uniform(static_cast<std::uint64_t>(i))) - 0.5;
  (void)regression.evaluate(w, 0.3, gradient);
  for (Index i = 0; i < w.size(); ++i) {
    double const step = 1e-2;
    SoftmaxWeights up = w, down = w;
    up(i) += step;
    down(i) -= step;
    double const difference =
        (regression.evaluate(up, 0.3, ignored) - regression.evaluate(down, 0.3, ignored)) / (2 * step);
    REQUIRE(gradient(i) == Approx(difference).margin(1e-4));
  }
  REQUIRE(regression.evaluate(SoftmaxWeights::Zero(5, 3), 0, ignored) == Approx(std::log(3.0)));
}

TEST_CASE("softmax regression ends where the gradient vanishes, from anywhere") {
  Blobs const data{600, 6, 3, 1, 5};
  SoftmaxRegression regression{data.labelled(), 3};
  SoftmaxWeights a = SoftmaxWeights::Zero(7, 3), b = SoftmaxWeights::Constant(7, 3, 0.7), gradient;
  b(2, 1) = -3;
  int steps = 0;
  REQUIRE(regression.minimise(a, 0.01, 200, 1e-8, [&](int step, SoftmaxWeights const&) { steps = step; }));
  REQUIRE(steps > 3);
  (void)regression.evaluate(a, 0.01, gradient);
  REQUIRE(gradient.norm() < 1e-3);
  REQUIRE(regression.minimise(b, 0.01, 200, 1e-8, [](int, SoftmaxWeights const&) {}));
  REQUIRE((a - b).topRows(6).norm() < 0.02);
}

TEST_CASE("strongly correlated features converge all the same") {
  Blobs data{2000, 8, 2, 1, 6};
  for (Index i = 0; i < data.count; ++i)
    for (Index j = 1; j < data.dims; ++j) {
      float& value = data.values[static_cast<std::size_t>(i * data.dims + j)];
      value = data.values[static_cast<std::size_t>(i * data.dims)] + 0.01F * value;
    }
  std::vector<float> const z = Standardiser::fit(data.features())(data.features());
  SoftmaxRegression regression{{{z, data.count, data.dims}, data.labels}, 2};
  SoftmaxWeights w = SoftmaxWeights::Zero(9, 2);
  int steps = 0;
  REQUIRE(regression.minimise(w, 1e-4, 100, 1e-6, [&](int step, SoftmaxWeights const&) { steps = step; }));
  REQUIRE(steps < 40);
}

TEST_CASE("a probe reads linear classes, chance from noise, with the same bits for any number of threads") {
  Blobs const train{3000, 8, 4, 3, 1}, validation{500, 8, 4, 3, 2}, test{1000, 8, 4, 3, 3};
  LinearProbeResult const result = linear_probe(train.labelled(), validation.labelled(), test.labelled());
  // Gaussian classes of unit variance, 3 sqrt 2 apart: the best there is errs by about 4 %.
  REQUIRE(result.accuracy > 0.94);
  REQUIRE(result.accuracy == accuracy(result.predictions, test.labels));
  REQUIRE(result.converged);
  REQUIRE(result.per_class.size() == 4);
  REQUIRE(result.classifier.predict(test.features()) == result.predictions);
  REQUIRE(result.classifier.direction(2)[2] > result.classifier.direction(2)[5]);
  REQUIRE(accuracy(result.classifier.predict(validation.features()), validation.labels) ==
          result.validation_accuracy);

  ThreadPool pool{3};
  LinearProbeResult const threaded =
      linear_probe(train.labelled(), validation.labelled(), test.labelled(), {}, &pool);
  for (int c = 0; c < 4; ++c) REQUIRE(threaded.classifier.direction(c) == result.classifier.direction(c));
  REQUIRE(threaded.step == result.step);

  Blobs const noise{3000, 8, 4, 0, 1}, unseen{1000, 8, 4, 0, 3};
  REQUIRE(std::abs(linear_probe(noise.labelled(), unseen.labelled(), unseen.labelled()).accuracy - 0.25) <
          0.08);
}

TEST_CASE("the choice is made on validation data, whatever the test data say") {
  Blobs const train{400, 30, 3, 1, 1}, validation{400, 30, 3, 1, 2}, test{400, 30, 3, 1, 3};
  LinearProbeResult const right = linear_probe(train.labelled(), validation.labelled(), test.labelled());
  std::vector<int> wrong = test.labels;
  for (int& label : wrong) label = (label + 1) % 3;
  LinearProbeResult const other =
      linear_probe(train.labelled(), validation.labelled(), {test.features(), wrong});
  REQUIRE(other.predictions == right.predictions);
  REQUIRE(other.weight_decay == right.weight_decay);
  REQUIRE(other.accuracy < right.accuracy);
}

TEST_CASE("features that tell nothing leave the probe at chance, without trouble") {
  std::vector<float> const flat(60, 2.5F);
  std::vector<int> labels;
  for (int i = 0; i < 30; ++i) labels.push_back(i % 3);
  Labelled const data{{flat, 30, 2}, labels};
  LinearProbeResult const result = linear_probe(data, data, data);
  REQUIRE(result.accuracy == Approx(1.0 / 3));
  REQUIRE(result.converged);
}

TEST_CASE("a probe that cannot be is refused") {
  Blobs const train{30, 5, 3, 6, 1}, test{30, 5, 3, 6, 2}, narrow{30, 4, 3, 6, 2}, more{30, 5, 4, 6, 2};
  Labelled const good = train.labelled();
  auto const probe = [&](Labelled const& a, Labelled const& b, LinearProbeConfig const& config = {}) {
    (void)linear_probe(a, a, b, config);
  };
  REQUIRE_THROWS_WITH(probe(good, narrow.labelled()),
                      contains("linear_probe") && contains("5 dims") && contains("got 4"));
  REQUIRE_THROWS_WITH(probe(good, more.labelled()), contains("[0, 3)") && contains("3 of sample 3"));
  REQUIRE_THROWS_WITH(probe({good.features, std::vector<int>{0, 1}}, good),
                      contains("expected 30 labels") && contains("got 2"));
  std::vector<int> const one(30, 2);
  REQUIRE_THROWS_WITH(probe({good.features, one}, good),
                      contains("at least two classes") && contains("only 2"));
  std::vector<float> bad = train.values;
  bad[11] = NAN;
  REQUIRE_THROWS_WITH(probe({{bad, 30, 5}, train.labels}, good),
                      contains("finite features") && contains("dimension 1 of sample 2"));
  REQUIRE_THROWS_AS(probe(good, good, {.weight_decays = {}}), ConfigError);
  REQUIRE_THROWS_AS(probe(good, good, {.weight_decays = {-1}}), ConfigError);
  REQUIRE_THROWS_AS(probe(good, good, {.most_steps = 0}), ConfigError);
}
