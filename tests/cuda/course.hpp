// What steps of DiffSiam leave, on any backend.
#pragma once

#include <vector>

#include <diffsiam/diffsiam.hpp>
#include <diffsiam/train/adam.hpp>

namespace diffsiam::test {

/// The loss of each step, and all weights after the first.
struct Course {
  static constexpr int steps = 50;  ///< unless a test asks for fewer
  std::vector<double> losses, weights;
};

template <class B>
[[nodiscard]] Course train(unsigned steps = Course::steps) {
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

}  // namespace diffsiam::test
