#include <cmath>

#include <tests/support/catch.hpp>

#include <diffsiam/backend/cpu/cpu.hpp>
#include <diffsiam/loss/gaussian_kl.hpp>
#include <diffsiam/value/plain.hpp>

namespace diffsiam::test {

using B = backend::Cpu<float>;

Tensor<B> kl_input(B::Context& context, Shape const& shape, std::vector<double> const& values) {
  return Tensor<B>::from(context, shape, std::span<double const>{values});
}

TEST_CASE("The Gaussian KL sums over dims and takes the mean over samples") {
  B::Context context{{.threads = 1}};
  loss::GaussianKl const kl;
  double const ln4 = std::log(4.0);
  // Sample 1: 1/2 from the mean alone; sample 2: (4 + 4 - 1 - ln 4)/2 and (1/4 - 1 + ln 4)/2.
  auto const value =
      kl(kl_input(context, {2, 2}, {1, 0, 2, 0}), kl_input(context, {2, 2}, {0, 0, ln4, -ln4}));
  CHECK(value.shape() == Shape{});
  CHECK(static_cast<double>(value.item()) == Approx((0.5 + (7 - ln4) / 2 + (-0.75 + ln4) / 2) / 2));
}

TEST_CASE("The Gaussian KL is 0 at the prior and exact near it") {
  B::Context context{{.threads = 1}};
  loss::GaussianKl const kl;
  Shape const shape{100, 64};
  auto const zero = Tensor<B>::zeros(context, shape);
  CHECK(kl(zero, zero).item() == 0);
  // (e^v - 1 - v)/2 = v^2/4 + v^3/12 + ..., which a difference of sums of 6400 would lose.
  double const v = 0.015625;
  double const expected = 64 * (std::expm1(v) - v) / 2;
  CHECK(static_cast<double>(kl(zero, Tensor<B>::filled(context, shape, 0.015625F)).item()) ==
        Approx(expected).epsilon(2e-3));
}

TEST_CASE("The Gaussian KL refuses means and variances of two shapes") {
  B::Context context{{.threads = 1}};
  auto const mean = Tensor<B>::zeros(context, {2, 3});
  CHECK_THROWS_WITH(loss::GaussianKl{}(mean, Tensor<B>::zeros(context, {2, 4})),
                    contains("GaussianKl") && contains("(2, 3)") && contains("(2, 4)"));
  auto const image = Tensor<B>::zeros(context, {2, 3, 1});
  CHECK_THROWS_WITH(loss::GaussianKl{}(image, image), contains("GaussianKl") && contains("(n, d)"));
}

}  // namespace diffsiam::test
