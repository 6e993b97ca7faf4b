// How fast a training step of the denoiser is, and how much memory it takes, beside what a dry run predicts.
// One JSON line.
//
//   build/bench/benchmarks/training_step [BASE_CHANNELS [THREADS [STEPS]]]

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include <diffsiam/backend/cpu.hpp>
#include <diffsiam/diffsiam.hpp>
#include <diffsiam/train/adam.hpp>

namespace ds = diffsiam;
using B = ds::backend::Cpu<float>;

namespace {

constexpr ds::Index batch = 64;

/// Forward and backward pass of one batch, on any backend.
template <class V>
void pass(ds::UNet<B> const& denoiser, ds::NoiseSchedule const& schedule, ds::Tensor<V> const& images,
          std::uint64_t step) {
  auto const noised = ds::add_noise(schedule, images, ds::Rng{.seed = 1, .step = step});
  ds::Tape<V> tape{images.context()};
  tape.backward(ds::loss::Noise{schedule}(denoiser(tape.input(noised.x_t), noised.t), noised));
}

}  // namespace

int main(int argc, char** argv) {
  int const base = argc > 1 ? std::atoi(argv[1]) : 16, threads = argc > 2 ? std::atoi(argv[2]) : 0,
            steps = argc > 3 ? std::atoi(argv[3]) : 20;
  B::Context context{{.threads = threads}};
  auto const schedule = ds::NoiseSchedule::linear();
  ds::UNet<B> const denoiser{context,
                             {.in_channels = 1,
                              .base_channels = base,
                              .multipliers = {1, 2, 2},
                              .blocks_per_level = 1,
                              .attention_factors = {4},
                              .groups = std::min(base, 8)}};
  ds::train::Adam<B> adam{ds::parameters(denoiser)};
  auto const images = ds::diffusion::normal<B>(context, {batch, 28, 28, 1}, {.seed = 7});
  int const used = context.threads().threads();
  auto const predicted = ds::estimate(
      [&](ds::backend::DryContext& dry) { pass(denoiser, schedule, ds::Traced<B>{dry, images.shape()}, 0); },
      used);

  std::vector<double> seconds;
  for (int step = -3; step < steps; ++step) {
    auto const start = std::chrono::steady_clock::now();
    pass(denoiser, schedule, images, static_cast<std::uint64_t>(step + 3));
    adam.step();
    if (step >= 0)
      seconds.push_back(std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
  }
  std::nth_element(seconds.begin(), seconds.begin() + static_cast<std::ptrdiff_t>(seconds.size() / 2),
                   seconds.end());
  double const median = seconds[seconds.size() / 2];
  std::printf(
      "{\"what\": \"denoiser\", \"base\": %d, \"batch\": %d, \"threads\": %d, \"images_per_second\": %.1f, "
      "\"flops_per_image\": %.4g, "
      "\"gflops\": %.1f, \"pool_peak_bytes\": %zu, \"predicted_step_bytes\": %zu, \"parameters\": %lld}\n",
      base, static_cast<int>(batch), used, static_cast<double>(batch) / median,
      predicted.flops / static_cast<double>(batch), predicted.flops / median / 1e9,
      context.memory().peak_bytes(), predicted.peak_bytes,
      static_cast<long long>(ds::parameters(denoiser).size()));
}
