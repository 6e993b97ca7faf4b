// The work, written once for every backend.
#pragma once

#include <diffsiam/diffsiam.hpp>
#include <diffsiam/loss/mean_squared_error.hpp>
#include <diffsiam/train/adam.hpp>

namespace ds = diffsiam;

/// Trains a small denoiser on flat pictures and returns the last loss.
template <class B>
double run(int steps) {
  typename B::Context context;
  ds::UNet<B> const denoiser{
      context,
      {.in_channels = 1, .base_channels = 16, .multipliers = {1, 2}, .attention_factors = {}, .groups = 8}};
  ds::train::Adam<B> adam{ds::parameters(denoiser), {.learning_rate = 1e-3}};
  auto const schedule = ds::NoiseSchedule::linear(1000, 1e-4, 0.02);
  double last = 0;
  for (int step = 0; step < steps; ++step) {
    auto const images = ds::Tensor<B>::filled(context, {8, 16, 16, 1}, step % 2 == 0 ? 0.5F : -0.5F);
    auto const noised = ds::add_noise(schedule, images, {.seed = 1, .step = static_cast<unsigned>(step)});
    ds::Tape<B> tape{context};
    auto const loss = ds::loss::MeanSquaredError{}(denoiser(tape.input(noised.x_t), noised.t), noised.noise);
    tape.backward(loss);
    adam.step();
    last = static_cast<double>(loss.value().item());
  }
  return last;
}
