#include <cmath>

#include <tests/support/values.hpp>

#include <diffsiam/functional/activation.hpp>
#include <diffsiam/ops/group_norm.hpp>

namespace diffsiam::test {

TEMPLATE_TEST_CASE("group_norm normalises over positions and the channels of a group", "",
                   backend::Reference<double>, backend::Cpu<float>) {
  using B = TestType;
  Make<B> make;
  auto const x = make({1, 1, 2, 4}, {1, 3, 10, 20, 5, 7, 30, 40});
  double const a = 1 / std::sqrt(5), b = 1 / std::sqrt(125);  // variances of 1 3 5 7 and 10 20 30 40
  auto const gamma = make({4}, {1, 1, 1, 2}), beta = make({4}, {0, 0.5, 0, 0});
  check_values(ops::group_norm(x, gamma, beta, 2, 0), {1, 1, 2, 4},
               {-3 * a, -1 * a + 0.5, -15 * b, -10 * b, a, 3 * a + 0.5, 5 * b, 30 * b});
  // Scale then shift, the activation last.
  auto const modulation = make({1, 8}, {1, 1, 1, 1, 0, 0, 0, 10});
  check_values(ops::modulated_group_norm<functional::Relu>(x, gamma, beta, modulation, 2, 0), {1, 1, 2, 4},
               {0, -2 * a + 1, 0, 10 - 20 * b, 2 * a, 6 * a + 1, 10 * b, 10 + 60 * b});
}

TEMPLATE_TEST_CASE("group_norm makes beta of a constant group, and NaN of one whose variance is out of range",
                   "", backend::Reference<double>, backend::Cpu<float>) {
  using B = TestType;
  Make<B> make;
  auto const gamma = make({2}, {1, 2}), beta = make({2}, {3, -4});
  check_values(ops::group_norm(make({1, 2, 1, 2}, {5, 0, 5, 0}), gamma, beta, 2), {1, 2, 1, 2},
               {3, -4, 3, -4});
  double const huge = sizeof(typename B::Scalar) == 4 ? 1e20 : 1e200;
  auto const y =
      ops::group_norm(make({1, 2, 1, 2}, {huge, 1, -huge, -1}), gamma, beta, 2).template values<double>();
  CHECK(std::isnan(y[0]));
  CHECK(std::isnan(y[2]));
  CHECK(y[1] == Approx(-2).epsilon(1e-4));
  CHECK(y[3] == Approx(-6).epsilon(1e-4));
}

TEMPLATE_TEST_CASE("layer_norm takes each row for itself, with the biased variance", "",
                   backend::Reference<double>, backend::Cpu<float>) {
  using B = TestType;
  Make<B> make;
  auto const one = make({2}, {1, 1}), zero = make({2}, {0, 0});
  check_values(ops::layer_norm(make({2, 2}, {1, 3, 10, 30}), one, zero, 0), {2, 2}, {-1, 1, -1, 1});
}

}  // namespace diffsiam::test
