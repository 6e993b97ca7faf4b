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
  CHECK_THROWS_WITH(diffusion::ddim_sample<B>(s.schedule, grid, s.x_T, narrow),
                    contains("a tensor of x's shape"));
}

TEST_CASE(
    "Where no signal is left eps is refused before it is asked for, and v and x_0 lead to the picture") {
  Setting const s;
  auto const schedule = diffusion::NoiseSchedule::linear(100).with_zero_terminal_snr();
  auto const trailing = diffusion::TimeGrid::trailing(100, 10);
  int evaluations = 0;
  auto const eps = [&](Tensor<B> const& x, Tensor<B> const&, diffusion::SamplerStep) {
    ++evaluations;
    return x;
  };
  auto const says =
      contains("abar = 0 at t = 99; x_t holds nothing of x_0 there: use v prediction or x_0 prediction");
  CHECK_THROWS_AS(diffusion::ddim_sample<B>(schedule, trailing, s.x_T, eps), ConfigError);
  CHECK_THROWS_WITH(diffusion::ddim_sample<B>(schedule, trailing, s.x_T, eps), says);
  CHECK_THROWS_WITH(diffusion::ddim_sample<B>(schedule, diffusion::TimeGrid::linspace(100, 7), s.x_T, eps),
                    says);
  CHECK_THROWS_WITH(
      diffusion::ddim_encode<B>(schedule, trailing, s.x_0, eps, {}, diffusion::EncodeEnd::at_zero), says);
  CHECK_THROWS_AS(diffusion::ddpm_sample<B>(schedule, s.x_T, eps), ConfigError);
  CHECK_THROWS_WITH(diffusion::ddpm_sample<B>(schedule, s.x_T, eps), says);
  CHECK_THROWS_WITH((diffusion::PlainNoise{eps, schedule}),
                    contains("PlainNoise") && contains("v prediction"));
  CHECK(evaluations == 0);
  // No hop of these begins there.
  CHECK_NOTHROW(diffusion::ddim_sample<B>(schedule, diffusion::TimeGrid::leading(100, 10), s.x_T, eps));
  CHECK_NOTHROW(diffusion::ddim_encode<B>(schedule, trailing, s.x_0, eps));

  for (auto const target : {diffusion::PredictionTarget::x_0, diffusion::PredictionTarget::v}) {
    INFO(to_string(target));
    int step = 99;
    auto const knows = [&](Tensor<B> const& x, Tensor<B> const& t) {
      step = static_cast<int>(t.values()[0]);
      if (target == diffusion::PredictionTarget::x_0) return s.x_0;
      // v of the noise that x holds beside the picture.
      double const abar = schedule.abar(step), noise = std::sqrt(1 - abar);
      return ops::linear_combination(std::sqrt(abar) / noise, x, -1 / noise, s.x_0);
    };
    diffusion::PlainNoise const predict{knows, schedule, target};
    CHECK(distance(diffusion::ddim_sample<B>(schedule, trailing, s.x_T, predict), s.x_0) < 1e-13);
    CHECK(distance(diffusion::ddpm_sample<B>(schedule, s.x_T, predict), s.x_0) < 1e-13);
    CHECK(step == 0);
    // To abar = 0 by way of abar = 0: the last hop changes nothing.
    auto const stays = diffusion::ddim_encode<B>(schedule, trailing, s.x_0, predict);
    auto const goes =
        diffusion::ddim_encode<B>(schedule, trailing, s.x_0, predict, {}, diffusion::EncodeEnd::at_zero);
    CHECK(distance(stays, goes) < 1e-15);
  }
}

TEST_CASE("A signal too faint for the element type is none, and x_0 without noise says nothing of eps") {
  using F = backend::Cpu<float>;
  F::Context context{{.threads = 1}};
  std::vector<double> betas(4, 0.5);
  betas.back() = 1 - 1e-15;
  for (int i = 0; i < 4; ++i) betas.push_back(1 - 1e-15);  // abar = 1e-76 at last
  auto const schedule = diffusion::NoiseSchedule::from_betas(betas);
  auto const x = diffusion::normal<F>(context, {1, 2, 2, 1}, {.seed = 1});
  auto const eps = [](Tensor<F> const& at, Tensor<F> const&, diffusion::SamplerStep) { return at; };
  auto const grid = diffusion::TimeGrid::leading(8, 8);
  CHECK_THROWS_WITH(diffusion::ddim_sample<F>(schedule, grid, x, eps), contains("t = 7"));
  CHECK_THROWS_WITH(diffusion::ddpm_sample<F>(schedule, x, eps), contains("t = 7"));
  diffusion::PlainNoise const v{[](Tensor<F> const& at, Tensor<F> const&) { return ops::scale(at, 0.5F); },
                                schedule, diffusion::PredictionTarget::v};
  for (float const value : diffusion::ddim_sample<F>(schedule, grid, x, v).values())
    CHECK(std::isfinite(value));

  diffusion::Hop const from_picture{0, 1, 0.5, true};
  auto const go = [&](auto const& predict) {
    return diffusion::follow_hops<F>(std::span{&from_picture, 1}, x, predict, {.clip = true},
                                     diffusion::NoProgress{})
        .values();
  };
  for (float const value : go(v)) CHECK(std::isfinite(value));
  for (float const value : go(eps)) CHECK(std::isfinite(value));
  diffusion::PlainNoise const x_0{[](Tensor<F> const& at, Tensor<F> const&) { return at; }, schedule,
                                  diffusion::PredictionTarget::x_0};
  CHECK_THROWS_WITH(go(x_0), contains("abar = 1") && contains("v prediction or eps prediction"));
}
