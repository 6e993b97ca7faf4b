// How fast a training step is, and how much memory it takes: noising, forward and backward pass, Adam. One
// JSON line.
//
//   build/bench/benchmarks/training_step --config fashion --what diffsiam --threads 2

#include <diffsiam/train/adam.hpp>

#include "support/backends.hpp"
#include "support/measure.hpp"
#include "support/models.hpp"

namespace {

using namespace bench;

/// Forward and backward pass of one batch in the reading of its tensors.
template <class B, class V>
void pass(ds::UNet<B> const& denoiser, ds::NoiseSchedule const& schedule, ds::Tensor<V> const& images,
          std::uint64_t step) {
  auto const noised = ds::add_noise(schedule, images, ds::Rng{.seed = 1, .step = step});
  ds::Tape<V> tape{images.context()};
  tape.backward(ds::loss::Noise{schedule}(denoiser(tape.input(noised.x_t), noised.t), noised));
}
template <class B, class V>
void pass(ds::DiffSiam<B> const& model, ds::NoiseSchedule const& schedule, ds::Tensor<V> const& images,
          std::uint64_t step) {
  auto const noised = ds::add_noise(schedule, images, ds::Rng{.seed = 1, .step = step});
  ds::Tape<V> tape{images.context()};
  tape.backward(model.diffusion_loss(model.encode(tape.input(images)), noised));
}

template <class B, class Model>
Json measure(typename B::Context& context, Model const& model, Options const& options, Sizes const& sizes,
             std::size_t bytes_before) {
  auto const schedule = ds::NoiseSchedule::linear();
  Index const batch = options.batch > 0 ? options.batch : sizes.batch;
  ds::train::Adam<B> adam{ds::parameters(model)};
  auto const images = ds::diffusion::normal<B>(context, sizes.images(batch), {.seed = 7});
  std::size_t const held = context.memory().live_bytes();
  auto const predicted = ds::estimate(
      [&](ds::backend::DryContext& dry) { pass<B>(model, schedule, ds::Traced<B>{dry, images.shape()}, 0); },
      threads_of(context));

  std::uint64_t step = 0;
  ds::Profile profile;
  auto const seconds = time_calls(
      options,
      [&] {
        pass<B>(model, schedule, images, step++);
        ds::Observed const observed{context.observer(), "adam", ds::Direction::forward};
        adam.step();
      },
      context, profile);
  Json record = record_of("training_step", options, context, model, batch, predicted.flops, seconds,
                          bytes_before, profile);
  record["predicted_bytes"] = held + predicted.touched_bytes;
  return record;
}

}  // namespace

int main(int argc, char** argv) {
  return run_program(
      argc, argv, "How fast a training step is. Prints one JSON line.", []<class B>(Options const& options) {
        std::size_t const bytes_before = process_bytes("VmRSS");
        Sizes const sizes = sizes_of(options.config);
        auto context = make_context<B>(options);
        ds::UNet<B> const denoiser{context, sizes.denoiser};
        return options.what == "denoiser" ? measure<B>(context, denoiser, options, sizes, bytes_before)
                                          : measure<B>(context, make_diffsiam(context, denoiser, sizes),
                                                       options, sizes, bytes_before);
      });
}
