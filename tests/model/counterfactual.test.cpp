// Exchanging subsets, spherical interpolation, manipulation.
#include <cmath>
#include <vector>

#include <tests/support/catch.hpp>

#include <diffsiam/backend/reference.hpp>
#include <diffsiam/diffusion/noising.hpp>
#include <diffsiam/model/counterfactual.hpp>

using namespace diffsiam;
using diffsiam::test::Approx;
using diffsiam::test::contains;
using B = backend::Reference<double>;

TEST_CASE("Exchanged subsets come from the other latent, the rest stays") {
  B::Context context;
  auto const partition =
      encoder::TimestepPartition::staged({.timesteps = 10, .subsets = 3, .dims = 6}, {{4, 3}, {10, 3}});
  auto const z = Tensor<B>::filled(context, {2, 6}, 1), other = Tensor<B>::filled(context, {2, 6}, 5);
  auto const replaced = model::exchange_subsets(partition, z, other, 1, 2).values();
  for (int j = 0; j < 6; ++j) {
    bool const moved = j >= partition.begin(1) && j < partition.end(1);
    CHECK(replaced[static_cast<std::size_t>(j)] == (moved ? 5 : 1));
    CHECK(replaced[static_cast<std::size_t>(6 + j)] == (moved ? 5 : 1));
  }
  CHECK(model::exchange_subsets(partition, z, other, 0, 3, 0.25).values() == std::vector<double>(12, 2));
  CHECK(z.values() == std::vector<double>(12, 1));
  CHECK_THROWS_WITH(model::exchange_subsets(partition, z, other, 2, 4),
                    contains("exchange_subsets") && contains("[2, 4)"));
}

TEST_CASE("Spherical interpolation keeps its ends and the length of noise") {
  B::Context context;
  auto const x = diffusion::normal<B>(context, {2, 400}, {.seed = 1}),
             y = diffusion::normal<B>(context, {2, 400}, {.seed = 2});
  auto const distance = [](Tensor<B> const& a, Tensor<B> const& b) {
    double greatest = 0;
    auto const u = a.values(), v = b.values();
    for (std::size_t i = 0; i < u.size(); ++i) greatest = std::max(greatest, std::abs(u[i] - v[i]));
    return greatest;
  };
  CHECK(distance(model::slerp(x, y, 0), x) < 1e-12);
  CHECK(distance(model::slerp(x, y, 1), y) < 1e-12);
  CHECK(distance(model::slerp(x, x, 0.3), x) < 1e-12);
  auto const length = [](Tensor<B> const& a) {
    double square = 0;
    for (double v : a.values()) square += v * v;
    return std::sqrt(square);
  };
  double const middle = length(model::slerp(x, y, 0.5));
  CHECK(middle > 0.95 * length(x));
  CHECK(middle < 1.05 * length(x));
}

TEST_CASE("Manipulation moves by strength times the root of the width along the direction") {
  B::Context context;
  auto const z = Tensor<B>::zeros(context, {1, 4});
  std::vector<float> const w{0, 2, 0, 0};
  CHECK(model::manipulate(z, w, 0.5).values() == std::vector<double>{0, 1, 0, 0});
  std::vector<float> const zero(4, 0), narrow(3, 1);
  CHECK_THROWS_WITH(model::manipulate(z, zero, 1), contains("manipulate") && contains("not zero"));
  CHECK_THROWS_WITH(model::manipulate(z, narrow, 1), contains("4 dims") && contains("got 3"));
}

TEST_CASE("Between opposite samples, and from zeros, the way is straight") {
  using F = backend::Reference<float>;
  F::Context context;
  std::vector<float> const ends{3, 4, 0, 0}, opposite{-3, -4.00002F, 2, 1};
  auto const x = Tensor<F>::from(context, {2, 2}, std::span<float const>{ends});
  auto const y = Tensor<F>::from(context, {2, 2}, std::span<float const>{opposite});
  auto const middle = model::slerp(x, y, 0.25).values();
  CHECK(middle[0] == Approx(1.5));
  CHECK(middle[1] == Approx(2).epsilon(1e-4));
  CHECK(middle[2] == Approx(0.5));
  CHECK(middle[3] == Approx(0.25));
}

TEST_CASE("The length of a direction does not matter, and one that is not finite is refused") {
  using F = backend::Reference<float>;
  F::Context context;
  auto const z = Tensor<F>::zeros(context, {1, 2});
  for (float const length : {1e-40F, 1.0F, 1e38F}) {
    std::vector<float> const w{0, length};
    CHECK(model::manipulate(z, w, 1).values()[1] == Approx(std::sqrt(2.0F)).epsilon(1e-5));
  }
  std::vector<float> const bad{NAN, 1};
  CHECK_THROWS_AS(model::manipulate(z, bad, 1), NumericError);
}
