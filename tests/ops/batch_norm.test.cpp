#include <cmath>

#include <tests/support/values.hpp>

#include <diffsiam/ops/batch_norm.hpp>

namespace diffsiam::test {

TEMPLATE_TEST_CASE("batch_norm moves the running statistics, the variance with Bessel's correction", "",
                   backend::Reference<double>, backend::Cpu<float>) {
  using B = TestType;
  Make<B> make;
  auto const mean = make({1}, {10}), variance = make({1}, {20});
  auto const y = evaluate(ops::BatchNorm<B>{.running_mean = mean, .running_variance = variance, .epsilon = 0},
                          make({4, 1}, {1, 3, 5, 7}), make({1}, {2}), make({1}, {1}));
  double const r = 1 / std::sqrt(5);
  check_values(y, {4, 1}, {1 - 6 * r, 1 - 2 * r, 1 + 2 * r, 1 + 6 * r});
  check_values(mean, {1}, {0.9 * 10 + 0.1 * 4});
  check_values(variance, {1}, {0.9 * 20 + 0.1 * 20.0 / 3});
  auto const z = evaluate(ops::BatchNorm<B>{.running_mean = make({1}, {1}),
                                            .running_variance = make({1}, {4}),
                                            .training = false,
                                            .epsilon = 0},
                          make({1, 1}, {5}), make({1}, {3}), make({1}, {1}));
  check_values(z, {1, 1}, {7});
}

}  // namespace diffsiam::test
