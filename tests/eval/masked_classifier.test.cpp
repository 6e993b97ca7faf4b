#include <cmath>
#include <cstdint>

#include <tests/eval/blobs.hpp>
#include <tests/support/catch.hpp>

#include <diffsiam/eval/masked_classifier.hpp>

using namespace diffsiam;
using namespace diffsiam::eval;
using test::Approx;
using test::Blobs;
using test::contains;

namespace {

/// Three classes in 30 dims, told apart by dims 4, 17 and 29 alone.
Blobs scattered(Index count, std::uint64_t seed) {
  Blobs data{count, 30, 3, 2, seed};
  for (Index i = 0; i < count; ++i) {
    float* const row = data.values.data() + i * 30;
    std::swap(row[0], row[4]);
    std::swap(row[1], row[17]);
    std::swap(row[2], row[29]);
  }
  return data;
}

}  // namespace

TEST_CASE("The shift of a mask makes its probabilities sum to what is kept") {
  Eigen::VectorXd scores(4);
  scores << 0, 0, 0, 0;
  // All alike: sigmoid(shift) = 1/4.
  REQUIRE(diffsiam::eval::detail::mask_shift(scores, 1) == Approx(std::log(1.0 / 3)));
  scores << -40, 0.3, 2, 55;
  for (double const kept : {0.01, 1.0, 1.7, 3.0, 3.9}) {
    double const shift = diffsiam::eval::detail::mask_shift(scores, kept);
    double sum = 0;
    for (Index j = 0; j < 4; ++j) sum += 1 / (1 + std::exp(-scores[j] - shift));
    REQUIRE(sum == Approx(kept).epsilon(1e-9));
  }
}

TEST_CASE("A masked classifier finds the dims that carry the class") {
  Blobs const train = scattered(1500, 1), validation = scattered(600, 2);
  MaskedClassifierResult const result =
      masked_classifier(train.labelled(), validation.labelled(), {.kept = 3});
  REQUIRE(result.dims == std::vector<Index>{4, 17, 29});
  double sum = 0;
  for (double const p : result.probabilities) sum += p;
  REQUIRE(sum == Approx(3));

  REQUIRE(result.classifier.dims() == 30);
  for (int c = 0; c < 3; ++c) {
    auto const direction = result.classifier.direction(c);
    for (std::size_t j = 0; j < 30; ++j) REQUIRE((direction[j] != 0) == (j == 4 || j == 17 || j == 29));
  }
  // The noise of the other 27 dims is all that a dense probe has beyond these three.
  double const dense =
      linear_probe(train.labelled(), validation.labelled(), validation.labelled()).validation_accuracy;
  REQUIRE(result.validation_accuracy > dense - 0.01);
  REQUIRE(accuracy(result.classifier.predict(validation.features()), validation.labels) ==
          Approx(result.validation_accuracy).margin(2e-3));
}

TEST_CASE("Of two dims that say the same a masked classifier keeps one, and what adds to it") {
  // y = sign(a + b): dims 0 and 1 both hold the stronger part a, dim 2 holds b.
  auto const make = [](Index count, std::uint64_t seed) {
    Blobs data{count, 8, 2, 0, seed};
    for (Index i = 0; i < count; ++i) {
      float* const row = data.values.data() + i * 8;
      data.labels[static_cast<std::size_t>(i)] = 1.5F * row[0] + row[2] > 0 ? 1 : 0;
      row[1] = row[0] + 0.01F * row[1];
    }
    return data;
  };
  Blobs const train = make(1500, 5), validation = make(500, 6);
  for (std::uint64_t seed = 0; seed < 3; ++seed) {
    auto const result = masked_classifier(train.labelled(), validation.labelled(), {.kept = 2, .seed = seed});
    REQUIRE(result.dims.front() <= 1);
    REQUIRE(result.dims.back() == 2);
    REQUIRE(result.validation_accuracy > 0.97);
  }
}

TEST_CASE("A masked classifier that keeps all dims is the linear probe") {
  Blobs const train{400, 6, 3, 1, 1}, validation{200, 6, 3, 1, 2};
  auto const all = masked_classifier(train.labelled(), validation.labelled(), {.kept = 6});
  auto const probe = linear_probe(train.labelled(), validation.labelled(), validation.labelled());
  REQUIRE(all.dims == std::vector<Index>{0, 1, 2, 3, 4, 5});
  REQUIRE(all.validation_accuracy == probe.validation_accuracy);
  REQUIRE(all.classifier.weights() == probe.classifier.weights());
}

TEST_CASE("A masked classifier gives the same bits for a seed, with any number of threads") {
  Blobs const train = scattered(1100, 3), validation = scattered(100, 4);  // two blocks
  LearnedMaskConfig config{.kept = 5, .steps = 30, .seed = 7};
  auto const run = [&](ThreadPool* pool) {
    return masked_classifier(train.labelled(), validation.labelled(), config, {}, pool);
  };
  ThreadPool pool{3};
  auto const alone = run(nullptr), threaded = run(&pool);
  REQUIRE(alone.probabilities == threaded.probabilities);
  REQUIRE(alone.classifier.weights() == threaded.classifier.weights());
  config.seed = 8;
  REQUIRE(run(nullptr).probabilities != alone.probabilities);
}

TEST_CASE("A masked classifier that cannot be is refused") {
  Blobs const train{30, 5, 3, 6, 1}, narrow{30, 4, 3, 6, 2}, more{30, 5, 4, 6, 2};
  Labelled const good = train.labelled();
  auto const fit = [&](Labelled const& validation, LearnedMaskConfig const& config) {
    (void)masked_classifier(good, validation, config);
  };
  REQUIRE_THROWS_WITH(fit(good, {}),
                      contains("masked_classifier") && contains("[1, 5]") && contains("got 0"));
  REQUIRE_THROWS_WITH(fit(good, {.kept = 6}), contains("[1, 5]") && contains("got 6"));
  REQUIRE_THROWS_AS(fit(good, {.kept = 2, .steps = 0}), ConfigError);
  REQUIRE_THROWS_AS(fit(good, {.kept = 2, .learning_rate = 0}), ConfigError);
  REQUIRE_THROWS_WITH(fit(good, {.kept = 2, .temperature = 0.05}),
                      contains("do not rise") && contains("0.05") && contains("0.1"));
  REQUIRE_THROWS_AS(fit(good, {.kept = 2, .last_temperature = 0}), ConfigError);
  REQUIRE_THROWS_AS(fit(good, {.kept = 2, .weight_decay = NAN}), ConfigError);
  REQUIRE_THROWS_WITH(fit(narrow.labelled(), {.kept = 2}), contains("5 dims") && contains("got 4"));
  REQUIRE_THROWS_WITH(fit(more.labelled(), {.kept = 2}), contains("[0, 3)") && contains("3 of sample 3"));
}
