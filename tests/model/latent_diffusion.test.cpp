// The latent model: standardisation, loss, and that it learns a distribution.
#include <array>
#include <cmath>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include <tests/support/catch.hpp>

#include <diffsiam/backend/cpu.hpp>
#include <diffsiam/loss/diffusion_loss.hpp>
#include <diffsiam/model/latent_diffusion.hpp>
#include <diffsiam/nn/module.hpp>
#include <diffsiam/train/adam.hpp>
#include <diffsiam/train/step.hpp>

using namespace diffsiam;
using diffsiam::test::Approx;
using diffsiam::test::contains;
using B = backend::Cpu<float>;
using diffusion::TimeGrid;

namespace {

/// Half around (-3, 12), half around (1, 8); deviations .5 and .25 within both.
Tensor<B> mixture(B::Context& context, Index count, Rng const& rng) {
  auto values = diffusion::normal<B>(context, {count, 2}, rng).values();
  for (std::size_t i = 0; i < values.size(); i += 2) {
    bool const left = i / 2 % 2 == 0;
    values[i] = (left ? -3.0F : 1.0F) + 0.5F * values[i];
    values[i + 1] = (left ? 12.0F : 8.0F) + 0.25F * values[i + 1];
  }
  return Tensor<B>::from(context, {count, 2}, std::span<float const>{values});
}
constexpr std::array mean{-1.0F, 10.0F};
// Variance between the modes 4, within .25 and .0625.
std::array<float, 2> const scale{static_cast<float>(1 / std::sqrt(4 + 0.25)),
                                 static_cast<float>(1 / std::sqrt(4 + 0.0625))};

model::LatentDiffusion<B> small(B::Context& context) {
  return {model::LatentDenoiser<B>{context,
                                   {.dims = 2, .hidden = 48, .layers = 3, .time_dims = 16, .time_width = 32}},
          model::LatentStandardisation<B>{context, mean, scale}};
}

}  // namespace

TEST_CASE("Standardised latents come back, and a constant dim as its mean") {
  B::Context context;
  std::vector<float> const means{2, -1, 5}, scales{4, 0.5F, 0};
  model::LatentStandardisation<B> const standardisation{context, means, scales};
  std::vector<float> const values{3, -1, 5, 2.5F, 1, 6};
  auto const z = Tensor<B>::from(context, {2, 3}, std::span<float const>{values});
  auto const standardised = standardisation.standardised(z);
  CHECK(standardised.values() == std::vector<float>{4, 0, 0, 2, 1, 0});
  CHECK(standardisation.restored(standardised).values() == std::vector<float>{3, -1, 5, 2.5F, 1, 5});
}

TEST_CASE("A standardisation that cannot be is refused") {
  B::Context context;
  using Standardisation = model::LatentStandardisation<B>;
  std::vector<float> const two{1, 2}, three{1, 2, 3}, negative{1, -2}, none;
  std::vector<float> const nan{1, std::numeric_limits<float>::quiet_NaN()};
  CHECK_THROWS_WITH((Standardisation{context, two, three}),
                    contains("LatentStandardisation") && contains("2 and 3"));
  CHECK_THROWS_AS((Standardisation{context, none, none}), ShapeError);
  CHECK_THROWS_WITH((Standardisation{context, two, negative}), contains("-2") && contains("in dim 1"));
  CHECK_THROWS_AS((Standardisation{context, nan, two}), ConfigError);
  CHECK_THROWS_WITH((Standardisation{context, two, two}.standardised(Tensor<B>::zeros(context, {4, 3}))),
                    contains("(4, 2)") && contains("(4, 3)"));
}

TEST_CASE("The latent loss is the mean distance from the noise") {
  B::Context context;
  std::vector<float> const noise{1, -2, 0.5F, 3}, eps{1.5F, -1, 0.5F, -1};
  auto const tensor = [&](std::vector<float> const& values) {
    return Tensor<B>::from(context, {2, 2}, std::span<float const>{values});
  };
  diffusion::Noised<B> const noised{tensor(noise), Tensor<B>::zeros(context, {2}), tensor(noise)};
  CHECK(loss::LatentNoise{}(tensor(eps), noised).item() == Approx((0.5 + 1 + 0 + 4) / 4));

  Tape<B> tape{context};
  auto const variable = tape.variable(tensor(eps));
  tape.backward(loss::LatentNoise{}(variable, noised));
  CHECK(variable.gradient().values() == std::vector<float>{0.25F, 0.25F, 0, -0.25F});
}

TEST_CASE("The taped and the plain loss of a latent model are one, and follow the draw alone") {
  B::Context context;
  auto const latent = small(context);
  auto const z = mixture(context, 64, {.seed = 3});
  Tape<B> tape{context};
  float const taped = latent.loss(tape, z, {.seed = 1}).value().item();
  CHECK(taped == latent.loss(z, {.seed = 1}).item());
  CHECK(taped != latent.loss(z, {.seed = 2}).item());
}

TEST_CASE("Another loss takes the place of a latent model's own") {
  B::Context context;
  model::LatentDenoiser<B> const denoiser{context, {.dims = 2, .hidden = 8, .layers = 2, .time_dims = 4}};
  model::LatentStandardisation<B> const standardisation{context, mean, scale};
  auto const schedule = diffusion::NoiseSchedule::linear(20);
  model::LatentDiffusion<B, model::LatentDenoiser<B>, loss::Noise> const latent{
      denoiser, standardisation, {.schedule = schedule}, loss::Noise{schedule}};
  auto const z = mixture(context, 6, {.seed = 3});
  auto const noised = diffusion::add_noise(schedule, standardisation.standardised(z), {.seed = 1});
  auto const eps = denoiser(noised.x_t, noised.t).values<double>(), noise = noised.noise.values<double>();
  double sum = 0;
  for (std::size_t i = 0; i < eps.size(); ++i) sum += (eps[i] - noise[i]) * (eps[i] - noise[i]) / 12;
  CHECK(latent.loss(z, {.seed = 1}).item() == Approx(sum));
}

TEST_CASE("A latent model learns a mixture of two Gaussians") {
  B::Context context{{.threads = 1}};
  auto const latent = small(context);
  train::Adam<B> adam{nn::parameters(latent), {.learning_rate = 5e-3}};
  constexpr int steps = 800;
  train::TrainStep step{adam, {.rng = {.seed = 5}}, train::Cosine{{.steps = steps, .floor = 0}}};
  for (int i = 0; i < steps; ++i)
    (void)step([&](Tape<B>& tape, train::MicroBatch const& at) {
      return latent.loss(tape, mixture(context, 128, {.seed = 6, .step = at.step}), at.rng);
    });
  // A denoiser that always says 0 has E|eps| = sqrt(2/pi) = .798.
  CHECK(latent.loss(mixture(context, 1000, {.seed = 7}), {.seed = 8}).item() < 0.5F);

  auto const check = [](Tensor<B> const& z) {
    auto const values = z.values<double>();
    double const n = static_cast<double>(values.size()) / 2;
    double sum[2]{}, product[3]{}, left = 0, left_sum = 0, stray = 0;
    for (std::size_t i = 0; i < values.size(); i += 2) {
      double const x = values[i] + 1, y = values[i + 1] - 10;
      sum[0] += x / n;
      sum[1] += y / n;
      product[0] += x * x / n;
      product[1] += x * y / n;
      product[2] += y * y / n;
      if (values[i] < -1) ++left, left_sum += values[i];
      if (std::abs(values[i] + 1) < 0.4) ++stray;
    }
    CHECK(std::abs(sum[0]) < 0.3);
    CHECK(std::abs(sum[1]) < 0.3);
    CHECK(product[0] == Approx(4.25).epsilon(0.15));
    CHECK(product[1] == Approx(-4).epsilon(0.15));
    CHECK(product[2] == Approx(4.0625).epsilon(0.15));
    CHECK(left / n == Approx(0.5).margin(0.1));
    CHECK(left_sum / left == Approx(-3).margin(0.2));
    CHECK(stray / n < 0.03);  // between the modes there is nothing
  };
  auto const grid = TimeGrid::leading(1000, 50);
  auto const z = latent.sample(1000, {.seed = 9}, grid);
  check(z);
  check(latent.sample_ancestral(200, {.seed = 9}));
  CHECK(latent.sample(1000, {.seed = 9}, grid).values() == z.values());
  CHECK(latent.sample(1000, {.seed = 10}, grid).values() != z.values());
  CHECK(latent.sample(1000, {.seed = 9}, grid, 1).values() != z.values());
}

TEST_CASE("Latents that cannot be sampled are refused") {
  B::Context context;
  auto const latent = small(context);
  auto const grid = TimeGrid::leading(1000, 10);
  CHECK_THROWS_WITH(latent.sample(0, {}, grid), contains("at least one latent") && contains("got 0"));
  CHECK_THROWS_WITH(latent.sample(1, {}, TimeGrid::leading(100, 10)), contains("100 time-steps"));
  CHECK_THROWS_WITH(latent.sample(1, {}, grid, 2), contains("eta"));
  Tape<B> tape{context};
  CHECK_THROWS_AS(latent.loss(tape, Tensor<B>::zeros(context, {2, 3}), {}), ShapeError);
}

TEST_CASE("A scale whose inverse no float holds is refused") {
  B::Context context;
  using Standardisation = model::LatentStandardisation<B>;
  std::vector<float> const zero{0}, least{1e-42F}, far{1e25F}, great{1e25F};
  CHECK_THROWS_WITH((Standardisation{context, zero, least}), contains("inverse") && contains("in dim 0"));
  CHECK_THROWS_AS((Standardisation{context, far, great}), ConfigError);
}
