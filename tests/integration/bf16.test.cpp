// Training with bfloat16 operands goes where training in float32 goes: 300 steps of a denoiser on
// Fashion-MNIST at half its size.
#include <cmath>
#include <numeric>
#include <span>
#include <vector>

#include <tests/support/catch.hpp>

#include <diffsiam/backend/cpu.hpp>
#include <diffsiam/compiled/cpu_bfloat16.hpp>
#include <diffsiam/data/fashion_mnist.hpp>
#include <diffsiam/diffsiam.hpp>
#include <diffsiam/ops/resample.hpp>
#include <diffsiam/train/adam.hpp>

namespace diffsiam::test {

namespace {

constexpr Index batch = 16, batches = 40;

/// The loss of every step.
template <class B>
std::vector<double> losses(std::vector<float> const& pictures) {
  typename B::Context context{{.threads = 2}};
  auto const schedule = NoiseSchedule::linear();
  UNet<B> const denoiser{context,
                         {.in_channels = 1,
                          .base_channels = 16,
                          .multipliers = {1, 2},
                          .blocks_per_level = 1,
                          .attention_factors = {},
                          .groups = 8}};
  train::Adam<B> adam{parameters(denoiser), {.learning_rate = 1e-3}};
  loss::Noise const noise_loss{schedule};
  std::vector<double> result;
  for (std::uint64_t step = 0; step < 300; ++step) {
    auto const first = step % batches * batch * 28 * 28;
    auto const full = Tensor<B>::from(context, {batch, 28, 28, 1},
                                      std::span<float const>(pictures).subspan(first, batch * 28 * 28));
    auto const noised = add_noise(schedule, ops::downsample_mean(full), Rng{.seed = 1, .step = step});
    Tape<B> tape{context};
    auto const loss = noise_loss(denoiser(tape.input(noised.x_t), noised.t), noised);
    tape.backward(loss);
    adam.step();
    result.push_back(static_cast<double>(loss.value().item()));
  }
  return result;
}

double mean(std::vector<double> const& values, std::size_t from, std::size_t to) {
  return std::accumulate(values.begin() + static_cast<std::ptrdiff_t>(from),
                         values.begin() + static_cast<std::ptrdiff_t>(to), 0.0) /
         static_cast<double>(to - from);
}

}  // namespace

TEST_CASE("Training with bfloat16 operands follows training in float32") {
  auto const pictures = data::load_fashion_mnist().train.slice(0, batch * batches).units();
  auto const exact = losses<backend::Cpu<float>>(pictures);
  auto const rounded = losses<backend::Cpu<float, BFloat16>>(pictures);
  CHECK(exact != rounded);  // the policy does something
  CHECK(mean(exact, 250, 300) < 0.5 * mean(exact, 0, 10));
  for (std::size_t from = 0; from < 300; from += 50) {
    INFO("steps " << from << " to " << from + 50);
    double const a = mean(exact, from, from + 50), b = mean(rounded, from, from + 50);
    CHECK(std::abs(a - b) < 0.02 * a);
  }
}

}  // namespace diffsiam::test
