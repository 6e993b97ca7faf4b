// The part of a training step that is the model's: the loss, and its forward and backward pass.
#pragma once

#include <cstdint>

#include <diffsiam/diffsiam.hpp>

#include "models.hpp"

namespace bench {

/// The loss of one batch in the reading of its tensors.
template <class B, class V>
[[nodiscard]] ds::Taped<V> loss_of(ds::Tape<V>& tape, ds::UNet<B> const& denoiser,
                                   ds::NoiseSchedule const& schedule, ds::Tensor<V> const& images,
                                   ds::Rng const& rng) {
  auto const noised = ds::add_noise(schedule, images, rng);
  return ds::loss::Noise{schedule}(denoiser(tape.input(noised.x_t), noised.t), noised);
}
template <class B, class V>
[[nodiscard]] ds::Taped<V> loss_of(ds::Tape<V>& tape, ds::DiffSiam<B> const& model,
                                   ds::NoiseSchedule const& schedule, ds::Tensor<V> const& images,
                                   ds::Rng const& rng) {
  auto const noised = ds::add_noise(schedule, images, rng);
  return model.diffusion_loss(model.encode(tape.input(images)), noised);
}
/// Forward and backward pass.
template <class Model, class V>
void pass(Model const& model, ds::NoiseSchedule const& schedule, ds::Tensor<V> const& images,
          std::uint64_t step) {
  ds::Tape<V> tape{images.context()};
  tape.backward(loss_of(tape, model, schedule, images, ds::Rng{.seed = 1, .step = step}));
}

}  // namespace bench
