#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include <tests/support/catch.hpp>

#include <diffsiam/diffusion/attribute_loss.hpp>

using namespace diffsiam::diffusion;
using Catch::Matchers::WithinAbs;
using Catch::Matchers::WithinRel;
using diffsiam::RangeError;
using diffsiam::test::contains;

TEST_CASE("phi_inverse inverts phi to the last digits", "[attribute]") {
  CHECK_THAT(phi_inverse(0.5), WithinAbs(0, 2e-15));
  CHECK_THAT(phi_inverse(0.25), WithinRel(-0.6744897501960817, 2e-15));
  CHECK_THAT(phi_inverse(0.75), WithinRel(0.6744897501960817, 2e-15));
  CHECK_THAT(phi_inverse(0.025), WithinRel(-1.9599639845400542, 2e-15));
  CHECK_THAT(phi_inverse(1e-10), WithinRel(-6.361340902404056, 2e-15));
  for (int exponent = -300; exponent < 0; exponent += 7) {
    double const p = std::pow(10.0, exponent) * 0.7;
    if (p < 1e-300) continue;
    // dp/p = x dx, so the round trip shows |x|^2 times the error of x.
    double const x = phi_inverse(p);
    CHECK_THAT(phi(x), WithinRel(p, 4e-15 * std::max(1.0, x * x)));
  }
  CHECK_THAT(phi_inverse(5e-324), WithinAbs(-38.4674, 1e-2));
  for (double p : {0.0, 1.0, -0.1, 1.1, std::numeric_limits<double>::quiet_NaN()}) {
    CHECK_THROWS_AS(phi_inverse(p), RangeError);
  }
}

TEST_CASE("attributes are lost at the listed time-steps", "[attribute]") {
  auto const schedule = NoiseSchedule::linear();
  std::vector<double> const distances{0.5, 1, 2, 5, 10, 20, 50, 100};
  std::vector<int> const expected{109, 205, 336, 514, 629, 729, 844, 922};
  for (std::size_t i = 0; i < distances.size(); ++i) {
    auto const t = lost_at(schedule, distances[i], 0.25);
    REQUIRE(t.has_value());
    CHECK(*t == expected[i]);
    CHECK(err(schedule, distances[i], *t) >= 0.25);
    CHECK(err(schedule, distances[i], *t - 1) < 0.25);
    CHECK(lost_at(schedule, std::vector<double>{distances[i], distances[i]}, 0.25) == t);
  }
}

TEST_CASE("err is the overlap of two Gaussians, from 0 to 1/2", "[attribute]") {
  auto const schedule = NoiseSchedule::linear();
  double const abar = schedule.abar(300);
  CHECK_THAT(
      err(schedule, 2, 300),
      WithinRel(std::erfc(std::sqrt(abar) * 2 / (2 * std::sqrt(2.0) * std::sqrt(1 - abar))) / 2, 1e-13));
  CHECK(err(schedule, 0, 300) == 0.5);
  for (int t = 1; t < 1000; ++t) CHECK(err(schedule, 0.5, t) > err(schedule, 0.5, t - 1));
  CHECK(err(schedule, 3, 300) < err(schedule, 2, 300));
  CHECK(err(schedule.with_zero_terminal_snr(), 100, 999) == 0.5);
}

TEST_CASE("an attribute too large for the schedule is never lost", "[attribute]") {
  auto const schedule = NoiseSchedule::linear();
  CHECK_FALSE(lost_at(schedule, 1000, 0.25).has_value());
  CHECK(lost_at(schedule, 0, 0.25) == 0);
  CHECK(lost_at(schedule.with_zero_terminal_snr(), 1e6, 0.25) == 999);
  std::vector<double> const mixed{1, 100};
  auto const t = lost_at(schedule, mixed, 0.25);
  REQUIRE(t.has_value());
  CHECK((*t > 205 && *t < 922));
  CHECK(err(schedule, 1, *t) + err(schedule, 100, *t) >= 0.5);
  CHECK(err(schedule, 1, *t - 1) + err(schedule, 100, *t - 1) < 0.5);
}

TEST_CASE("attribute loss refuses what has no meaning", "[attribute]") {
  auto const schedule = NoiseSchedule::linear();
  CHECK_THROWS_WITH(lost_at(schedule, 1, 0.5), contains("lost_at") && contains("tau") && contains("got 0.5"));
  CHECK_THROWS_AS(lost_at(schedule, 1, 0.0), RangeError);
  CHECK_THROWS_AS(lost_at(schedule, -1, 0.25), RangeError);
  CHECK_THROWS_AS(err(schedule, std::numeric_limits<double>::infinity(), 0), RangeError);
  CHECK_THROWS_AS(lost_at(schedule, std::vector<double>{}, 0.25), RangeError);
  CHECK_THROWS_WITH(err(schedule, -1, 0), contains("distance"));
  CHECK_THROWS_AS(err(schedule, 1, 1000), RangeError);
}
