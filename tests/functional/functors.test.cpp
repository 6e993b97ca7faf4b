#include <cmath>
#include <limits>

#include <tests/support/catch.hpp>

#include <diffsiam/functional/activation.hpp>
#include <diffsiam/functional/arithmetic.hpp>
#include <diffsiam/functional/error.hpp>
#include <diffsiam/functional/random.hpp>
#include <diffsiam/functional/softmax.hpp>

namespace diffsiam::test {

constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr double nan = std::numeric_limits<double>::quiet_NaN();

template <class F>
void derivative_matches(std::initializer_list<double> points) {
  constexpr double h = 1e-5;
  for (double x : points) {
    INFO("at " << x);
    CHECK(F::derivative(x) ==
          Approx((F::value(x + h) - F::value(x - h)) / (2 * h)).epsilon(1e-8).margin(1e-9));
  }
}

TEST_CASE("Each derivative stands beside the value it belongs to") {
  auto const points = {-20.0, -3.0, -1.0, -0.1, 0.2, 1.0, 4.0, 20.0};
  derivative_matches<functional::Identity>(points);
  derivative_matches<functional::Relu>(points);
  derivative_matches<functional::Silu>(points);
  derivative_matches<functional::Exp>({-3, -0.1, 0, 2});
  derivative_matches<functional::Log>({0.2, 1, 4, 20});
  derivative_matches<functional::Sqrt>({0.2, 1, 4, 20});
  derivative_matches<functional::Abs>(points);
  derivative_matches<functional::SquaredError>(points);
  derivative_matches<functional::AbsoluteError>(points);
}

TEST_CASE("Derivatives at a kink are 0") {
  CHECK(functional::Relu::derivative(0.0) == 0);
  CHECK(functional::AbsoluteError::derivative(0.0) == 0);
  CHECK(functional::Abs::derivative(0.0) == 0);
}

TEST_CASE("Activations at infinity and NaN") {
  CHECK(functional::Relu::value(-infinity) == 0);
  CHECK(functional::Relu::value(infinity) == infinity);
  CHECK(std::isnan(functional::Relu::value(nan)));
  CHECK(std::abs(functional::Silu::value(-infinity)) < 1e-30);
  CHECK(functional::Silu::value(infinity) == infinity);
  CHECK(std::isnan(functional::Silu::value(nan)));
  CHECK(std::abs(functional::Silu::derivative(-infinity)) < 1e-30);
  CHECK(functional::Silu::derivative(infinity) == Approx(1));
  CHECK(std::isnan(functional::Silu::derivative(nan)));
  float const most = std::numeric_limits<float>::max();
  CHECK(std::abs(functional::Silu::value(-most)) < 1e-30F);
  CHECK(functional::Silu::value(most) == most);
  CHECK(std::isfinite(functional::Silu::derivative(-most)));
}

TEST_CASE("select is a choice: what is masked may be NaN") {
  double y = 7;
  functional::Select{}(y, nan, 0.0);
  CHECK(y == 0);
  functional::SelectAccumulate{}(y, nan, 0.0);
  CHECK(y == 0);
  functional::SelectAccumulate{}(y, 3.0, -1.0);
  CHECK(y == 3);
}

TEST_CASE("Cross-entropy of a class that is impossible and not the target is 0") {
  CHECK(functional::CrossEntropy<double>{1}(0.0, -infinity) == 0);
  CHECK(functional::CrossEntropy<double>{1}(1.0, -infinity) == infinity);
}

TEST_CASE("Normal numbers have the moments of N(0, 1) and stay finite") {
  Rng const rng{.seed = 1};
  double moments[5] = {};
  constexpr int blocks = 50000;
  for (int block = 0; block < blocks; ++block) {
    for (float value : functional::normals(rng.words(static_cast<std::uint64_t>(block)))) {
      REQUIRE(std::abs(value) <= 5.8F);
      double power = 1;
      for (double& moment : moments) moment += power, power *= static_cast<double>(value);
    }
  }
  double const n = moments[0];
  CHECK(n == 4 * blocks);
  // Five standard deviations each: variances of x, x^2, x^3, x^4 are 1, 2, 15, 96.
  CHECK(std::abs(moments[1] / n) < 5 * std::sqrt(1 / n));
  CHECK(std::abs(moments[2] / n - 1) < 5 * std::sqrt(2 / n));
  CHECK(std::abs(moments[3] / n) < 5 * std::sqrt(15 / n));
  CHECK(std::abs(moments[4] / n - 3) < 5 * std::sqrt(96 / n));
  CHECK(std::isfinite(functional::normals({0, 0, 0xFFFFFFFF, 0xFFFFFFFF})[0]));
}

}  // namespace diffsiam::test
