#include <cmath>

#include <tests/support/catch.hpp>

#include <diffsiam/diffusion/prediction.hpp>

using namespace diffsiam::diffusion;
using Catch::Matchers::WithinRel;
using diffsiam::ConfigError;
using diffsiam::RangeError;
using diffsiam::test::contains;

namespace {

constexpr PredictionTarget all[] = {PredictionTarget::eps, PredictionTarget::x_0, PredictionTarget::v};

static_assert(LinearPair{2, 3}(10, 100) == 320);
static_assert(to_string(PredictionTarget::v) == "v");

}  // namespace

TEST_CASE("each prediction turns into each other one", "[prediction]") {
  auto const schedule = NoiseSchedule::linear();
  double const x_0 = -0.6, noise = 1.3;
  for (int t : {0, 1, 250, 500, 999}) {
    double const a = std::sqrt(schedule.abar(t)), s = std::sqrt(1 - schedule.abar(t));
    double const x_t = a * x_0 + s * noise;
    auto const value = [&](PredictionTarget target) {
      return target == PredictionTarget::eps   ? noise
             : target == PredictionTarget::x_0 ? x_0
                                               : a * noise - s * x_0;
    };
    for (auto from : all) {
      CHECK_THAT(training_target(schedule, t, from)(x_0, noise), WithinRel(value(from), 1e-13));
      for (auto to : all) {
        INFO(to_string(from) << " to " << to_string(to) << " at " << t);
        // At the ends a or s is small and x_t holds little of what is asked for: a thousand ulps.
        CHECK_THAT(convert_prediction(schedule, t, from, to)(x_t, value(from)), WithinRel(value(to), 1e-11));
      }
    }
  }
}

TEST_CASE("conversions have the signs of their formulas", "[prediction]") {
  auto const schedule = NoiseSchedule::linear();
  double const a = std::sqrt(schedule.abar(300)), s = std::sqrt(1 - schedule.abar(300));
  CHECK(x_0_from_eps(schedule, 300) == LinearPair{1 / a, -s / a});
  CHECK(eps_from_x_0(schedule, 300) == LinearPair{1 / s, -a / s});
  CHECK(x_0_from_v(schedule, 300) == LinearPair{a, -s});
  CHECK(eps_from_v(schedule, 300) == LinearPair{s, a});
  CHECK(v_from_eps(schedule, 300) == LinearPair{-s / a, 1 / a});
  CHECK(v_from_x_0(schedule, 300) == LinearPair{a / s, -1 / s});
  CHECK(convert_prediction(schedule, 300, PredictionTarget::v, PredictionTarget::v) == LinearPair{0, 1});
}

TEST_CASE("where the SNR is zero eps says nothing and v says all", "[prediction]") {
  auto const schedule = NoiseSchedule::linear(100).with_zero_terminal_snr();
  CHECK_THROWS_AS(x_0_from_eps(schedule, 99), ConfigError);
  CHECK_THROWS_WITH(x_0_from_eps(schedule, 99),
                    contains("x_0_from_eps") && contains("t = 99") && contains("v prediction"));
  CHECK_THROWS_WITH(v_from_eps(schedule, 99), contains("v prediction"));
  CHECK_THROWS_WITH(training_target(schedule, 99, PredictionTarget::eps), contains("v prediction"));
  CHECK_NOTHROW(x_0_from_eps(schedule, 98));
  CHECK(x_0_from_v(schedule, 99) == LinearPair{0, -1});
  CHECK(eps_from_v(schedule, 99) == LinearPair{1, 0});
  CHECK(training_target(schedule, 99, PredictionTarget::v) == TargetPair{-1, 0});
}

TEST_CASE("conversions refuse a time-step outside the schedule", "[prediction]") {
  auto const schedule = NoiseSchedule::linear(10);
  CHECK_THROWS_AS(x_0_from_v(schedule, 10), RangeError);
  CHECK_THROWS_AS(convert_prediction(schedule, -1, PredictionTarget::v, PredictionTarget::v), RangeError);
  CHECK_THROWS_WITH(eps_from_v(schedule, 10), contains("eps_from_v") && contains("[0, 10)"));
}

TEST_CASE("a target is known by its name", "[prediction]") {
  for (auto const target : all) CHECK(prediction_target(to_string(target)) == target);
  CHECK_THROWS_WITH(prediction_target("w"), contains("expected eps, x_0 or v, got 'w'"));
}
