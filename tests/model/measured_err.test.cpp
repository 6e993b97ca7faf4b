// Err as a denoiser shows it: of one that knows the pair, of one that knows nothing, of one that gives up.
#include <cmath>
#include <vector>

#include <tests/support/catch.hpp>

#include <diffsiam/backend/reference.hpp>
#include <diffsiam/model/measured_err.hpp>

using namespace diffsiam;
using diffsiam::test::Approx;
using diffsiam::test::contains;
using B = backend::Reference<double>;

namespace {

using Values = std::vector<double>;
Index const pairs = 400, pixels = 6;

diffusion::NoiseSchedule const schedule = diffusion::NoiseSchedule::linear();

/// n times the same picture (2, 3, 1).
Tensor<B> repeated(B::Context& context, Values const& picture, Index n = pairs) {
  Values all;
  for (Index i = 0; i < n; ++i) all.insert(all.end(), picture.begin(), picture.end());
  return Tensor<B>::from(context, {n, 2, 3, 1}, std::span<double const>{all});
}

Values const one{0.5, -0.25, 0, 0.75, -1, 0.1}, other{0.1, 0.35, 0.2, 0.75, -0.4, 0.1};

/// The predictor whose x_0^ is `clean(x_t pixels, abar)`, picture by picture.
template <class Clean>
auto reconstructing(Clean const& clean) {
  return [&](Tensor<B> const& x, Tensor<B> const&, diffusion::SamplerStep step) {
    Values values = x.values();
    double const abar = schedule.abar(step.t);
    for (std::size_t from = 0; from < values.size(); from += static_cast<std::size_t>(pixels)) {
      Values const x_t(values.begin() + static_cast<std::ptrdiff_t>(from),
                       values.begin() + static_cast<std::ptrdiff_t>(from) + pixels);
      Values const x_0 = clean(x_t, abar);
      for (std::size_t i = 0; i < x_t.size(); ++i)
        values[from + i] = (x_t[i] - std::sqrt(abar) * x_0[i]) / std::sqrt(1 - abar);
    }
    return Tensor<B>::from(x.context(), x.shape(), std::span<double const>{values});
  };
}

/// E[x_0 | x_t] where x_0 is `one` or `other`, alike often.
Values ideal(Values const& x_t, double abar) {
  double to_one = 0, to_other = 0;
  for (std::size_t i = 0; i < x_t.size(); ++i) {
    to_one += std::pow(x_t[i] - std::sqrt(abar) * one[i], 2);
    to_other += std::pow(x_t[i] - std::sqrt(abar) * other[i], 2);
  }
  double const share = 1 / (1 + std::exp((to_one - to_other) / (2 * (1 - abar))));
  Values result(x_t.size());
  for (std::size_t i = 0; i < result.size(); ++i) result[i] = share * one[i] + (1 - share) * other[i];
  return result;
}

}  // namespace

TEST_CASE("Distances of pairs are Euclidean, one a pair") {
  B::Context context;
  Values const x{0, 0, 1, 1}, y{3, 4, 1, 1};
  REQUIRE(model::pair_distances(Tensor<B>::from(context, {2, 1, 2, 1}, std::span{x}),
                                Tensor<B>::from(context, {2, 1, 2, 1}, std::span{y})) == Values{5, 0});
}

TEST_CASE("The ideal denoiser of two pictures errs as the closed form says") {
  B::Context context;
  auto const x = repeated(context, one), y = repeated(context, other);
  std::vector<int> const steps{20, 100, 200, 300, 500, 999};
  auto const measured =
      model::measured_err(schedule, reconstructing(ideal), x, y, steps, {.draws = 10, .rng = {.seed = 3}});
  REQUIRE(measured.size() == steps.size());
  double const distance = model::pair_distances(x, y).front();
  for (std::size_t i = 0; i < steps.size(); ++i) {
    CAPTURE(steps[i]);
    double const p = diffusion::err(schedule, distance, steps[i]);
    CHECK(measured[i].t == steps[i]);
    CHECK(measured[i].trials == 2 * 10 * pairs);
    CHECK(measured[i].ideal == Approx(p).epsilon(1e-12));
    // Four deviations of a mean of independent draws; the two directions share theirs.
    CHECK(std::abs(measured[i].measured - p) <= 4 * std::sqrt(p * (1 - p) / (10 * pairs)));
  }
  CHECK(measured[1].measured > 0.03);
  CHECK(measured[1].measured < measured[3].measured);
}

TEST_CASE("A perfect reconstruction never errs, a lost pair errs half of the time") {
  B::Context context;
  auto const x = repeated(context, one, 3), y = repeated(context, other, 3);
  std::vector<int> const steps{0, 999};
  auto const knows = reconstructing([](Values const&, double) { return one; });
  auto const one_way = model::measured_err(schedule, knows, x, y, steps, {.draws = 2, .both_ways = false});
  CHECK(one_way[0].measured == 0);
  CHECK(one_way[1].measured == 0);
  CHECK(one_way[0].trials == 6);
  // The same answer to both is half wrong, and one way alone it would depend on the answer.
  CHECK(model::measured_err(schedule, knows, x, y, steps)[1].measured == 0.5);
  CHECK(model::measured_err(schedule, knows, y, x, steps, {.both_ways = false})[1].measured == 1);
  // Equal pictures cannot be told apart.
  CHECK(model::measured_err(schedule, knows, x, x, steps)[0].measured == 0.5);
  CHECK(model::measured_err(schedule, knows, x, x, steps)[0].ideal == 0.5);
}

TEST_CASE("The seed and the step pick the noise") {
  B::Context context;
  auto const x = repeated(context, one, 20), y = repeated(context, other, 20);
  std::vector<int> const steps{200};
  auto const at = [&](Rng const& rng) {
    return model::measured_err(schedule, reconstructing(ideal), x, y, steps, {.draws = 3, .rng = rng})[0]
        .measured;
  };
  CHECK(at({.seed = 1}) == at({.seed = 1}));
  CHECK(at({.seed = 1}) != at({.seed = 1, .step = 1}));
}

TEST_CASE("Measured Err refuses what it cannot measure") {
  B::Context context;
  auto const x = repeated(context, one, 2), y = repeated(context, other, 3);
  auto const zero = [](Tensor<B> const& x_t, Tensor<B> const&, diffusion::SamplerStep) {
    return Tensor<B>::zeros(x_t.context(), x_t.shape());
  };
  auto const bad = [](Tensor<B> const& x_t, Tensor<B> const&, diffusion::SamplerStep) {
    return Tensor<B>::filled(x_t.context(), x_t.shape(), NAN);
  };
  std::vector<int> const steps{10}, beyond{1000}, last{999}, none;
  CHECK_THROWS_WITH(model::measured_err(schedule, zero, x, y, steps),
                    contains("measured_err: expected (2, 2, 3, 1), got (3, 2, 3, 1)"));
  CHECK_THROWS_WITH(model::measured_err(schedule, zero, x, x, beyond),
                    contains("measured_err") && contains("1000"));
  CHECK_THROWS_WITH(model::measured_err(schedule, zero, x, x, none), contains("at least one time-step"));
  CHECK_THROWS_AS(model::measured_err(schedule, zero, x, x, steps, {.draws = 0}), ConfigError);
  CHECK_THROWS_AS(model::measured_err(schedule, zero, x.samples(0, 0), x.samples(0, 0), steps), ShapeError);
  CHECK_THROWS_AS(model::measured_err(schedule.with_zero_terminal_snr(), zero, x, x, last), ConfigError);
  diffusion::PlainNoise const of_v{[](Tensor<B> const& x_t, Tensor<B> const&) { return x_t; },
                                   schedule.with_zero_terminal_snr(), diffusion::PredictionTarget::v};
  auto const lost = repeated(context, other, 2);
  CHECK(model::measured_err(schedule.with_zero_terminal_snr(), of_v, x, lost, last)[0].measured == 0.5);
  CHECK_THROWS_WITH(model::measured_err(schedule, bad, x, x, steps),
                    contains("finite reconstructions") && contains("t = 10"));
}
