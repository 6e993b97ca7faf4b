// A predictor that knows the picture leads every sampler back to it.
#include <cmath>
#include <vector>

#include <tests/support/catch.hpp>

#include <diffsiam/backend/cpu.hpp>
#include <diffsiam/diffusion/ddim.hpp>
#include <diffsiam/diffusion/ddpm.hpp>

using namespace diffsiam;
using diffsiam::test::contains;
using B = backend::Cpu<double>;

namespace {

struct Setting {
  B::Context context{{.threads = 1}};
  diffusion::NoiseSchedule schedule = diffusion::NoiseSchedule::linear();
  Tensor<B> x_0 = ops::scale(diffusion::normal<B>(context, {2, 4, 4, 1}, {.seed = 1}), 0.2);
  Tensor<B> x_T = diffusion::normal<B>(context, {2, 4, 4, 1}, {.seed = 2});

  /// eps such that x_0 is the given picture.
  [[nodiscard]] auto towards(Tensor<B> const& picture) const {
    return [this, picture](Tensor<B> const& x, Tensor<B> const&, diffusion::SamplerStep step) {
      double const abar = schedule.abar(step.t);
      return ops::linear_combination(1 / std::sqrt(1 - abar), x, -std::sqrt(abar / (1 - abar)), picture);
    };
  }
};

double distance(Tensor<B> const& a, Tensor<B> const& b) {
  double greatest = 0;
  auto const u = a.values(), v = b.values();
  for (std::size_t i = 0; i < u.size(); ++i) greatest = std::max(greatest, std::abs(u[i] - v[i]));
  return greatest;
}

}  // namespace

TEST_CASE("A perfect predictor leads DDIM and DDPM back to the picture") {
  Setting const s;
  auto const predict = s.towards(s.x_0);
  auto const leading = diffusion::TimeGrid::leading(1000, 20);
  for (double const eta : {0.0, 0.5, 1.0}) {
    INFO("eta " << eta);
    CHECK(distance(diffusion::ddim_sample<B>(s.schedule, leading, s.x_T, predict,
                                             {.eta = eta, .rng = {.seed = 3}}),
                   s.x_0) < 1e-9);
  }
  CHECK(
      distance(diffusion::ddim_sample<B>(s.schedule, diffusion::TimeGrid::trailing(1000, 10), s.x_T, predict),
               s.x_0) < 1e-9);
  CHECK(distance(diffusion::ddpm_sample<B>(s.schedule, s.x_T, predict, {.rng = {.seed = 4}}), s.x_0) < 1e-9);
  // linspace ends at abar(0), a hundredth of noise away from the picture.
  double const left = distance(
      diffusion::ddim_sample<B>(s.schedule, diffusion::TimeGrid::linspace(1000, 20), s.x_T, predict), s.x_0);
  CHECK(left > 1e-4);
  CHECK(left < 0.05);
}

TEST_CASE("Encoding and decoding with one predictor of noise are each other's inverse") {
  Setting const s;
  // A predictor that always sees the same noise: both ways are then exact.
  auto const noise = s.x_T;
  auto const same = [&](Tensor<B> const&, Tensor<B> const&, diffusion::SamplerStep) { return noise; };
  auto const grid = diffusion::TimeGrid::linspace(1000, 25);
  auto const x_T = diffusion::ddim_encode<B>(s.schedule, grid, s.x_0, same, {.clip = false});
  CHECK(distance(diffusion::ddim_sample<B>(s.schedule, grid, x_T, same, {.clip = false}), s.x_0) < 1e-9);
}

TEST_CASE("Clipping holds x_0 in [-1, 1], and only where it is asked for") {
  Setting const s;
  auto const bright = ops::scale(s.x_0, 40);
  auto const grid = diffusion::TimeGrid::leading(1000, 10);
  auto const clipped = diffusion::ddim_sample<B>(s.schedule, grid, s.x_T, s.towards(bright)).values();
  for (double const v : clipped) CHECK(std::abs(v) <= 1);
  CHECK(distance(diffusion::ddim_sample<B>(s.schedule, grid, s.x_T, s.towards(bright), {.clip = false}),
                 bright) < 1e-8);
}

TEST_CASE("Noise depends on the seed, and is drawn only where eta asks for it") {
  Setting const s;
  auto const wrong = [&](Tensor<B> const& x, Tensor<B> const&, diffusion::SamplerStep) {
    return ops::scale(x, 0.3);
  };
  auto const grid = diffusion::TimeGrid::leading(1000, 10);
  auto const run = [&](double eta, std::uint64_t seed) {
    return diffusion::ddim_sample<B>(s.schedule, grid, s.x_T, wrong, {.eta = eta, .rng = {.seed = seed}})
        .values();
  };
  CHECK(run(0, 1) == run(0, 2));
  CHECK(run(1, 1) != run(1, 2));
  CHECK(run(1, 1) == run(1, 1));
}

TEST_CASE("Samplers refuse what has no meaning") {
  Setting const s;
  auto const predict = s.towards(s.x_0);
  auto const grid = diffusion::TimeGrid::leading(1000, 10);
  CHECK_THROWS_WITH(diffusion::ddim_sample<B>(s.schedule, grid, s.x_T, predict, {.eta = 1.5}),
                    contains("0 <= eta <= 1") && contains("1.5"));
  CHECK_THROWS_WITH(diffusion::ddim_encode<B>(s.schedule, grid, s.x_0, predict, {.eta = 1}),
                    contains("eta = 0"));
  CHECK_THROWS_AS(diffusion::ddim_sample<B>(diffusion::NoiseSchedule::linear(500), grid, s.x_T, predict),
                  Error);
  auto const narrow = [&](Tensor<B> const&, Tensor<B> const&, diffusion::SamplerStep) {
    return Tensor<B>::zeros(s.x_T.context(), {2, 4});
  };
  CHECK_THROWS_WITH(diffusion::ddim_sample<B>(s.schedule, grid, s.x_T, narrow), contains("eps of x's shape"));
}
