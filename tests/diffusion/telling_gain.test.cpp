#include <cmath>
#include <limits>

#include <tests/support/catch.hpp>

#include <diffsiam/diffusion/telling_gain.hpp>

using namespace diffsiam::diffusion;
using Catch::Matchers::WithinRel;
using diffsiam::RangeError;
using diffsiam::test::contains;

TEST_CASE("The least error of a two-valued factor is that of its integral", "[attribute]") {
  // numpy: n = linspace(-45, 45, 900001), sum of phi(n) 2/(1 + exp(2 (r + sqrt(r) n))) dn
  CHECK_THAT(least_squared_error(FactorKind::two_valued, 0), WithinRel(1, 1e-12));
  CHECK_THAT(least_squared_error(FactorKind::two_valued, 0.01), WithinRel(0.9900983752135273, 1e-10));
  CHECK_THAT(least_squared_error(FactorKind::two_valued, 0.5), WithinRel(0.6498865953233546, 1e-10));
  CHECK_THAT(least_squared_error(FactorKind::two_valued, 1), WithinRel(0.44959950920562497, 1e-10));
  CHECK_THAT(least_squared_error(FactorKind::two_valued, 4), WithinRel(0.06859740879057896, 1e-10));
  CHECK_THAT(least_squared_error(FactorKind::two_valued, 10), WithinRel(0.0024113147354066396, 1e-10));
  CHECK_THAT(least_squared_error(FactorKind::two_valued, 50), WithinRel(2.4042525188109194e-12, 1e-10));
  CHECK_THAT(least_squared_error(FactorKind::two_valued, 200), WithinRel(3.2768009918561306e-45, 1e-10));
  CHECK(least_squared_error(FactorKind::two_valued, 1e6) == 0);
}

TEST_CASE("The least error of a Gaussian factor is 1/(1 + r), the most that any factor has", "[attribute]") {
  CHECK(least_squared_error(FactorKind::gaussian, 3) == 0.25);
  for (double r = 0.05; r < 100; r *= 1.3)
    CHECK(least_squared_error(FactorKind::two_valued, r) < least_squared_error(FactorKind::gaussian, r));
}

TEST_CASE("A Gaussian factor is worth more the greater it is, and whitened the smaller it is",
          "[attribute]") {
  auto const schedule = NoiseSchedule::linear();
  for (int t = 0; t < 1000; t += 37)
    for (double s = 0.25; s < 100; s *= 2) {
      auto const gain = [&](ErrorMetric metric, double amplitude) {
        return telling_gain(schedule, FactorKind::gaussian, metric, amplitude, t);
      };
      CHECK(gain(ErrorMetric::plain, 2 * s) > gain(ErrorMetric::plain, s));
      CHECK(gain(ErrorMetric::whitened, 2 * s) < gain(ErrorMetric::whitened, s));
    }
  // At t = 300, abar = .39401: SNR = .65019. By hand, with s = 2: r = 2.60075, r/(1 + r) = .72228.
  double const snr = schedule.snr()[300];
  CHECK_THAT(telling_gain(schedule, FactorKind::gaussian, ErrorMetric::plain, 2, 300, ConstantWeight{}),
             WithinRel(4 * snr / (1 + 4 * snr), 1e-14));
  CHECK_THAT(telling_gain(schedule, FactorKind::gaussian, ErrorMetric::whitened, 2, 300, ConstantWeight{3}),
             WithinRel(0.72228 * 3 / 4, 1e-4));
}

TEST_CASE("A two-valued factor is worth most near the step at which it is lost", "[attribute]") {
  // s = 4.16 is lost at t = 600. There r = .455, at t = 200 r = 33.1, and at t = 800 r = .0262.
  auto const schedule = NoiseSchedule::linear();
  auto const gain = [&](int t) {
    return telling_gain(schedule, FactorKind::two_valued, ErrorMetric::plain, 4.163966, t, ConstantWeight{});
  };
  CHECK(gain(600) > 1e5 * gain(200));
  CHECK(gain(600) > 10 * gain(800));
}

TEST_CASE("Gains of nothing are refused", "[attribute]") {
  auto const schedule = NoiseSchedule::linear();
  CHECK_THROWS_WITH(least_squared_error(FactorKind::gaussian, -1), contains("least_squared_error"));
  CHECK_THROWS_AS(least_squared_error(FactorKind::two_valued, std::numeric_limits<double>::quiet_NaN()),
                  RangeError);
  auto const gain = [&](double s, int t) {
    return telling_gain(schedule, FactorKind::gaussian, ErrorMetric::plain, s, t);
  };
  CHECK_THROWS_WITH(gain(0, 5), contains("telling_gain") && contains("amplitude above 0"));
  CHECK_THROWS_AS(gain(1, 1000), RangeError);
}
