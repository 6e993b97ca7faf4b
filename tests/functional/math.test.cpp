#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>

#include <tests/support/catch.hpp>

#include <diffsiam/functional/math.hpp>

namespace diffsiam::test {

constexpr float infinity = std::numeric_limits<float>::infinity();
constexpr float nan = std::numeric_limits<float>::quiet_NaN();

/// The distance of `ours` from `exact` in units of the last place of a float of that size.
double ulps(float ours, double exact) {
  int exponent = 0;
  (void)std::frexp(exact, &exponent);
  return std::abs(static_cast<double>(ours) - exact) / std::ldexp(1.0, exponent - 24);
}

TEST_CASE("exp is within 2 ulp where its results are normal") {
  double worst = 0;
  float at = 0;
  for (std::uint32_t step = 0; step < 2'000'000; ++step) {
    float const x = -87.3365F + static_cast<float>(step) * (176.059F / 2e6F);
    double const error = ulps(functional::exp(x), std::exp(static_cast<double>(x)));
    if (error > worst) worst = error, at = x;
  }
  // And near 0, over all magnitudes.
  for (std::uint32_t bits = 0x00800000; bits < 0x42AE0000; bits += 1009) {
    for (float const x : {std::bit_cast<float>(bits), -std::bit_cast<float>(bits)}) {
      double const error = ulps(functional::exp(x), std::exp(static_cast<double>(x)));
      if (error > worst) worst = error, at = x;
    }
  }
  INFO("at " << at);
  CHECK(worst <= 2);
  CHECK(worst > 0.5);  // or nothing was measured
}

TEST_CASE("exp at its edges") {
  CHECK(functional::exp(0.0F) == 1.0F);
  CHECK(functional::exp(-0.0F) == 1.0F);
  CHECK(functional::exp(-infinity) == 0.0F);
  CHECK(functional::exp(-1000.0F) == 0.0F);
  CHECK(functional::exp(infinity) == infinity);
  CHECK(functional::exp(88.73F) == infinity);
  CHECK(functional::exp(1e30F) == infinity);
  CHECK(std::isfinite(functional::exp(88.72F)));
  CHECK(std::isnan(functional::exp(nan)));
}

TEST_CASE("log is within 2 ulp of every kind of normal number") {
  double worst = 0;
  float at = 0;
  for (std::uint32_t bits = 0x00800000; bits < 0x7F800000; bits += 1013) {
    float const x = std::bit_cast<float>(bits);
    double const error = ulps(functional::log(x), std::log(static_cast<double>(x)));
    if (error > worst) worst = error, at = x;
  }
  // Near 1, where the result is small.
  for (std::uint32_t bits = 0x3F000000; bits < 0x40000000; bits += 17) {
    float const x = std::bit_cast<float>(bits);
    if (x == 1) continue;
    double const error = ulps(functional::log(x), std::log(static_cast<double>(x)));
    if (error > worst) worst = error, at = x;
  }
  INFO("at " << at);
  CHECK(worst <= 2);
  CHECK(worst > 0.5);
}

TEST_CASE("log at its edges") {
  CHECK(functional::log(1.0F) == 0.0F);
  CHECK(functional::log(0.0F) == -infinity);
  CHECK(functional::log(-0.0F) == -infinity);
  CHECK(functional::log(infinity) == infinity);
  CHECK(std::isnan(functional::log(-1.0F)));
  CHECK(std::isnan(functional::log(-infinity)));
  CHECK(std::isnan(functional::log(nan)));
}

TEST_CASE("cos and sin of turns are within 1.5e-7") {
  double worst = 0;
  for (int i = 0; i <= 1 << 20; ++i) {
    float const u = static_cast<float>(i) * 0x1p-20F;
    double const angle = 2 * 3.14159265358979323846 * static_cast<double>(u);
    auto const [c, s] = functional::cos_sin_turns(u);
    worst = std::max({worst, std::abs(static_cast<double>(c) - std::cos(angle)),
                      std::abs(static_cast<double>(s) - std::sin(angle))});
  }
  CHECK(worst < 1.5e-7);
  CHECK(worst > 1e-9);
}

TEST_CASE("cos and sin are exact at the quarters") {
  auto const at = [](float u) {
    auto const [c, s] = functional::cos_sin_turns(u);
    return std::pair{c, s};
  };
  CHECK(at(0) == std::pair{1.0F, 0.0F});
  CHECK(at(0.25F) == std::pair{0.0F, 1.0F});
  CHECK(at(0.5F) == std::pair{-1.0F, 0.0F});
  CHECK(at(0.75F) == std::pair{0.0F, -1.0F});
  CHECK(at(1) == std::pair{1.0F, 0.0F});
}

TEST_CASE("sigmoid and softplus neither overflow nor lose NaN") {
  CHECK(functional::sigmoid(0.0F) == 0.5F);
  CHECK(functional::sigmoid(infinity) == 1.0F);
  CHECK(functional::sigmoid(-infinity) == 0.0F);
  CHECK(functional::sigmoid(200.0F) == 1.0F);
  CHECK(functional::sigmoid(-200.0F) == 0.0F);
  CHECK(std::isnan(functional::sigmoid(nan)));
  CHECK(functional::softplus(0.0) == Approx(std::log(2.0)));
  CHECK(functional::softplus(1000.0F) == 1000.0F);
  CHECK(functional::softplus(-1000.0F) == 0.0F);
  CHECK(functional::softplus(infinity) == infinity);
  CHECK(functional::softplus(-infinity) == 0.0F);
  CHECK(std::isnan(functional::softplus(nan)));
}

TEST_CASE("max of a number and NaN is NaN on the left, and the number stays on the right") {
  CHECK(functional::max(2.0F, 3.0F) == 3.0F);
  CHECK(functional::max(3.0F, 2.0F) == 3.0F);
  CHECK(std::isnan(functional::max(nan, 1.0F)));
  CHECK(functional::abs(-2.0F) == 2.0F);
}

}  // namespace diffsiam::test
