#include <cmath>
#include <limits>

#include <tests/support/values.hpp>

#include <diffsiam/backend/cpu.hpp>
#include <diffsiam/backend/reference/reference.hpp>
#include <diffsiam/loss/vicreg.hpp>

namespace diffsiam::test {

TEMPLATE_TEST_CASE("VICReg is invariance, variance and covariance with their weights", "",
                   backend::Reference<double>, backend::Cpu<float>) {
  using Weights = loss::VicReg::Config;
  Make<TestType> make;
  // All variances are 4/3, but that of dim 2 of view 1, which is 2/3. The covariances are -2/3 and 0.
  auto const z_1 = make({4, 2}, {1, -1, 1, 0, -1, 1, -1, 0});
  auto const z_2 = make({4, 2}, {1, 1, 1, -1, -1, 1, -1, -1});
  auto const of = [&](double invariance, double variance, double covariance) {
    return loss::VicReg{Weights{invariance, variance, covariance}}(z_1, z_2);
  };
  check_values(of(1, 0, 0), {}, {(4.0 + 1 + 0 + 1) / 8});  // squared differences 2^2, 1, 0, 1
  double const missing = 1 - std::sqrt(2.0 / 3 + 1e-4);    // up to a deviation of 1, of that dim alone
  check_values(of(0, 1, 0), {}, {missing / 2 / 2});        // mean over two dims, and over two views
  check_values(of(0, 0, 1), {}, {2 * (2.0 / 3) * (2.0 / 3) / 2});  // C_01 = C_10 = -2/3, over d = 2
  check_values(loss::VicReg{}(z_1, z_2), {}, {25 * 0.75 + 25 * missing / 4 + 4.0 / 9});
}

TEMPLATE_TEST_CASE("VICReg pays for collapse, and for nothing where views agree and dims are apart", "",
                   backend::Reference<double>, backend::Cpu<float>) {
  Make<TestType> make;
  auto const apart = make({4, 2}, {2, 2, 2, -2, -2, 2, -2, -2});
  check_values(loss::VicReg{}(apart, apart), {}, {0});
  auto const collapsed = make({4, 2}, {7, 7, 7, 7, 7, 7, 7, 7});  // sqrt(0 + 1e-4) = .01 of each dim
  check_values(loss::VicReg{}(collapsed, collapsed), {}, {25 * 0.99});
}

TEST_CASE("VICReg refuses shapes and weights that do not fit") {
  using B = backend::Cpu<float>;
  Make<B> make;
  loss::VicReg const loss;
  auto const z = make({2, 2}, {1, 2, 3, 4});
  CHECK_THROWS_WITH(loss(z, make({2, 1}, {1, 2})),
                    contains("VicReg") && contains("(2, 2)") && contains("(2, 1)"));
  CHECK_THROWS_WITH(loss(make({1, 2}, {1, 2}), make({1, 2}, {1, 2})),
                    contains("VicReg") && contains("n >= 2") && contains("(1, 2)"));
  CHECK_THROWS_WITH(loss(make({2}, {1, 2}), make({2}, {1, 2})), contains("VicReg") && contains("(n, d)"));
  for (double wrong : {-1.0, std::numeric_limits<double>::infinity(), std::nan("")}) {
    CHECK_THROWS_AS(loss::VicReg{{.invariance = wrong}}, ConfigError);
    CHECK_THROWS_AS(loss::VicReg{{.variance = wrong}}, ConfigError);
    CHECK_THROWS_AS(loss::VicReg{{.covariance = wrong}}, ConfigError);
  }
}

}  // namespace diffsiam::test
