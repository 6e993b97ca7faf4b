#include <cmath>

#include <tests/loss/exact_mean.hpp>

#include <diffsiam/backend/cpu/cpu.hpp>
#include <diffsiam/backend/reference/reference.hpp>
#include <diffsiam/loss/gaussian_kl.hpp>

namespace diffsiam::test {

inline Tensor<backend::Cpu<float>> kl_input(backend::Cpu<float>::Context& context, Shape const& shape,
                                            std::vector<double> const& values) {
  return Tensor<backend::Cpu<float>>::from(context, shape, std::span<double const>{values});
}

TEST_CASE("The Gaussian KL sums over dims and takes the mean over samples") {
  backend::Cpu<float>::Context context{{.threads = 1}};
  loss::GaussianKl const kl;
  double const ln4 = std::log(4.0);
  // Sample 1: 1/2 from the mean alone; sample 2: (4 + 4 - 1 - ln 4)/2 and (1/4 - 1 + ln 4)/2.
  auto const value =
      kl(kl_input(context, {2, 2}, {1, 0, 2, 0}), kl_input(context, {2, 2}, {0, 0, ln4, -ln4}));
  CHECK(value.shape() == Shape{});
  CHECK(static_cast<double>(value.item()) == Approx((0.5 + (7 - ln4) / 2 + (-0.75 + ln4) / 2) / 2));
}

TEST_CASE("The Gaussian KL is 0 at the prior and exact near it") {
  backend::Cpu<float>::Context context{{.threads = 1}};
  loss::GaussianKl const kl;
  Shape const shape{100, 64};
  auto const zero = Tensor<backend::Cpu<float>>::zeros(context, shape);
  CHECK(kl(zero, zero).item() == 0);
  // (e^v - 1 - v)/2 = v^2/4 + v^3/12 + ..., which a difference of sums of 6400 would lose.
  double const v = 0.015625;
  double const expected = 64 * (std::expm1(v) - v) / 2;
  CHECK(
      static_cast<double>(kl(zero, Tensor<backend::Cpu<float>>::filled(context, shape, 0.015625F)).item()) ==
      Approx(expected).epsilon(2e-3));
}

TEST_CASE("The Gaussian KL refuses means and variances of two shapes") {
  backend::Cpu<float>::Context context{{.threads = 1}};
  auto const mean = Tensor<backend::Cpu<float>>::zeros(context, {2, 3});
  CHECK_THROWS_WITH(loss::GaussianKl{}(mean, Tensor<backend::Cpu<float>>::zeros(context, {2, 4})),
                    contains("GaussianKl") && contains("(2, 3)") && contains("(2, 4)"));
  auto const image = Tensor<backend::Cpu<float>>::zeros(context, {2, 3, 1});
  CHECK_THROWS_WITH(loss::GaussianKl{}(image, image), contains("GaussianKl") && contains("(n, d)"));
}

TEMPLATE_TEST_CASE("The Gaussian KL is right, or infinite, for means and log variances of any magnitude", "",
                   backend::Cpu<float>, backend::Reference<double>) {
  using T = typename TestType::Scalar;
  typename TestType::Context context{{.threads = 2}};
  auto const zeros = Tensor<TestType>::zeros(context, {6, 8});
  loss::GaussianKl const kl;
  for (Rows const& rows : extreme_rows<T>(1)) {
    CAPTURE(rows.name);
    auto const x = rows.tensor<TestType>(context);
    auto const count = static_cast<Exact>(rows.n());
    ExactMean const of_mean{
        rows, count, [&](std::size_t, std::size_t, Exact mean) { return Term{mean * mean / 2, mean}; }};
    check_mean<TestType>({context, x, [&](auto const& mean) { return kl(mean, zeros); }}, of_mean, 1);
    ExactMean const of_variance{rows, count, [&](std::size_t, std::size_t, Exact v) {
                                  return Term{(std::expm1(v) - v) / 2, std::expm1(v) / 2};
                                }};
    check_mean<TestType>({context, x, [&](auto const& v) { return kl(zeros, v); }}, of_variance,
                         greatest(rows));
  }
}

}  // namespace diffsiam::test
