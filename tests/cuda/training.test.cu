// The same training on the device and on the host: weights after one step, losses over fifty.
#include <cmath>
#include <vector>

#include <tests/support/catch.hpp>

#include <diffsiam/backend/cpu.hpp>
#include <diffsiam/backend/cuda.cuh>
#include <diffsiam/diffsiam.hpp>
#include <diffsiam/train/adam.hpp>

namespace diffsiam::test {

namespace {

constexpr int steps = 50;

/// What fifty steps of DiffSiam leave: the loss of each, and all weights after the first.
struct Course {
  std::vector<double> losses, weights;
};

template <class B>
[[nodiscard]] Course train() {
  typename B::Context context;
  UNet<B> const denoiser{context,
                         {.in_channels = 1,
                          .base_channels = 16,
                          .multipliers = {1, 2},
                          .blocks_per_level = 1,
                          .attention_factors = {2},
                          .groups = 8}};
  auto const partition = TimestepPartition::uniform({.timesteps = 1000, .subsets = 4, .dims = 16});
  DiffSiam<B> const model{
      ModularEncoder<B>{
          context,
          {.backbone =
               {.in_channels = 1, .height = 16, .width = 16, .channels = {32, 32}, .attention_after = -1},
           .partition = partition}},
      ShiftDecoder<B>{context, denoiser, {.latent_dims = 16}}};
  SimSiamHalf<B> const siamese{context, {.dims = 16}};
  train::Adam<B> adam{parameters(model, siamese), {.learning_rate = 1e-3}};
  Course course;
  for (unsigned step = 0; step < steps; ++step) {
    Tensor<B> const images = diffusion::normal<B>(context, {16, 16, 16, 1}, {.seed = 1, .step = step});
    auto const noised = add_noise(model.schedule(), images, Rng{.seed = 2, .step = step});
    Tape<B> tape{context};
    auto const z = model.encode(tape.input(images));
    auto const loss = model.diffusion_loss(z, noised) + 0.01 * siamese(z);
    course.losses.push_back(static_cast<double>(loss.value().item()));
    tape.backward(loss);
    adam.step();
    if (step > 0) continue;
    for (auto const& entry : adam.parameters().parameters)
      for (double const weight : entry.parameter.value().template values<double>())
        course.weights.push_back(weight);
  }
  return course;
}

}  // namespace

TEST_CASE("Training on the device follows training on the host", "[training]") {
  Course const host = train<backend::Cpu<float>>(), device = train<backend::Cuda<float>>();
  REQUIRE(device.weights.size() == host.weights.size());
  // Adam's first step is about the sign of the gradient: where that is near zero, a few steps turn. Between
  // two backends of the host 18 of 211,437 weights stand apart so far.
  std::size_t apart = 0;
  for (std::size_t i = 0; i < host.weights.size(); ++i)
    apart += std::abs(device.weights[i] - host.weights[i]) > 1e-5 ? 1 : 0;
  CHECK(apart <= host.weights.size() / 1000);
  for (int step = 0; step < steps; ++step) {
    auto const i = static_cast<std::size_t>(step);
    CAPTURE(step);
    CHECK(device.losses[i] == Approx(host.losses[i]).epsilon(0.01));
  }
}

}  // namespace diffsiam::test
