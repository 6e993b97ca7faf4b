// Samplers use the weights that a network has when it is asked, whoever writes them between two steps.
#include <cmath>
#include <string>
#include <vector>

#include <tests/support/catch.hpp>
#include <tests/support/small_model.hpp>

#include <diffsiam/backend/reference.hpp>
#if defined(DIFFSIAM_WITH_ONEDNN)
#include <diffsiam/backend/onednn.hpp>
#include <diffsiam/compiled/onednn_float.hpp>
#endif
#include <diffsiam/compiled/cpu_bfloat16.hpp>
#include <diffsiam/loss/mean_squared_error.hpp>
#include <diffsiam/tensor/prepacked_weights.hpp>
#include <diffsiam/train/sgd.hpp>

using namespace diffsiam;

namespace {

constexpr int timesteps = 4;

unet::Config config() {
  return {.in_channels = 1,
          .base_channels = 16,
          .multipliers = {1, 2},
          .blocks_per_level = 1,
          .attention_factors = {2},
          .groups = 4};
}

template <class B>
UNet<B> net(typename B::Context& context, std::uint64_t seed) {
  UNet<B> result{context, config()};
  testing::randomise(result, seed);
  return result;
}

template <class B>
Tensor<B> start(typename B::Context& context) {
  return diffusion::normal<B>(context, {2, 16, 16, 1}, {.seed = 1});
}

/// Pictures by both samplers.
template <class B, class P>
std::vector<float> sampled(typename B::Context& context, P const& predict) {
  auto const schedule = NoiseSchedule::linear(timesteps, 0.1, 0.3);
  auto const grid = TimeGrid::leading(timesteps, timesteps);
  auto values =
      diffusion::ddim_sample<B>(schedule, grid, start<B>(context), predict).template values<float>();
  for (auto const& more : {diffusion::ddim_encode<B>(schedule, grid, start<B>(context), predict),
                           diffusion::ddpm_sample<B>(schedule, start<B>(context), predict)})
    for (float const value : more.template values<float>()) values.push_back(value);
  return values;
}

/// A predictor that writes other weights into its net before every step.
template <class B>
std::vector<float> with_written_weights() {
  typename B::Context context{{.threads = 1}};
  auto const denoiser = net<B>(context, 1);
  return sampled<B>(context, [&](Tensor<B> const& x, Tensor<B> const& t, diffusion::SamplerStep step) {
    testing::randomise(denoiser, static_cast<std::uint64_t>(10 + step.t));
    return denoiser(x, t);
  });
}

/// A predictor that builds a net of its own at every step: its memory is that of the step before.
template <class B>
std::vector<float> with_temporary_nets() {
  typename B::Context context{{.threads = 1}};
  return sampled<B>(context, [&](Tensor<B> const& x, Tensor<B> const& t, diffusion::SamplerStep step) {
    return net<B>(context, static_cast<std::uint64_t>(10 + step.t))(x, t);
  });
}

/// Steps of an optimizer while somebody keeps kernels.
template <class B>
std::vector<float> with_optimizer_steps() {
  typename B::Context context{{.threads = 1}};
  auto const denoiser = net<B>(context, 1);
  auto const x = start<B>(context);
  auto const t = diffusion::same_timestep<B>(context, 2, 1);
  train::Sgd<B> optimizer{nn::parameters(denoiser), {.learning_rate = 1e-3, .momentum = 0}};
  [[maybe_unused]] auto const kept = keep_prepacked_weights(context);
  for (int step = 0; step < 3; ++step) {
    Tape<B> tape{context};
    tape.backward(loss::MeanSquaredError{}(denoiser(tape.input(x), t), tape.input(x)));
    optimizer.step();
  }
  return denoiser(x, t).template values<float>();
}

double difference(std::vector<float> const& a, std::vector<float> const& b) {
  REQUIRE(a.size() == b.size());
  double greatest = 0;
  for (std::size_t i = 0; i < a.size(); ++i)
    greatest = std::max(greatest, static_cast<double>(std::abs(a[i] - b[i])));
  return greatest;
}

template <class B>
void agrees(std::string const& name, double bound) {
  using R = backend::Reference<float>;
  INFO(name);
  CHECK(difference(with_written_weights<B>(), with_written_weights<R>()) < bound);
  CHECK(difference(with_temporary_nets<B>(), with_temporary_nets<R>()) < bound);
  CHECK(difference(with_optimizer_steps<B>(), with_optimizer_steps<R>()) < bound);
}

}  // namespace

TEST_CASE("Weights that are written or freed between steps are used as they are") {
  agrees<backend::Cpu<float>>("Cpu<float>", 1e-4);
  agrees<backend::Cpu<float, BFloat16>>("Cpu<float, BFloat16>", 0.05);
#if defined(DIFFSIAM_WITH_ONEDNN)
  agrees<backend::OneDnn<float>>("OneDnn<float>", 1e-4);
#endif
}
