// What a run will take, told before it begins: memory by a dry run of both stages, time by a few real passes.
#pragma once

#include <algorithm>
#include <string>
#include <utility>

#include <diffsiam/io/format_number.hpp>

#include <experiments/support/console.hpp>
#include <experiments/support/run_config.hpp>

namespace experiments {

struct RunEstimate {
  ds::Index denoiser_parameters = 0, diffsiam_parameters = 0;
  double bytes =
      0;  ///< of the greater stage: weights, their gradients, moments and averages, and activations
  double denoiser_seconds = 0, diffsiam_seconds = 0;
};

namespace detail {

/// A forward and a backward pass of both stages on pictures that are all alike, on any backend; the loss.
template <class V, class B>
ds::Tensor<V> denoiser_pass(typename V::Context& context, ds::UNet<B> const& denoiser,
                            RunConfig const& config) {
  ds::NoiseSchedule const schedule = ds::NoiseSchedule::linear();
  ds::Tensor<V> const images{context, {config.denoiser_batch, config.size, config.size, config.channels}};
  images.fill(0.1F);
  auto const noised = ds::add_noise(schedule, images, ds::Rng{.seed = 1});
  ds::Tape<V> tape{context};
  auto const loss = ds::loss::Noise{schedule}(denoiser(tape.input(noised.x_t), noised.t), noised);
  tape.backward(loss);
  return loss.value();
}
template <class V, class B>
ds::Tensor<V> diffsiam_pass(typename V::Context& context, ds::DiffSiam<B> const& model,
                            ds::NtXentHalf<B> const& siamese, RunConfig const& config) {
  ds::Tensor<V> const images{context, {config.batch, config.size, config.size, config.channels}},
      views{context, {2 * config.siamese_batch, config.size, config.size, config.channels}};
  images.fill(0.1F);
  views.fill(0.1F);
  auto const noised = ds::add_noise(model.schedule(), images, ds::Rng{.seed = 1});
  ds::Tape<V> tape{context};
  auto const diffusion = model.diffusion_loss(model.encode(tape.input(images)), noised);
  auto const loss = ds::ops::linear_combination(1, diffusion, config.siamese_weight,
                                                siamese(model.encode(tape.input(views))));
  tape.backward(loss);
  return loss.value();
}

/// Seconds of the faster of two passes, after one that warms up. Reading the loss waits for a device.
template <class Pass>
[[nodiscard]] double seconds_of(Pass const& pass) {
  (void)pass().item();
  double best = 1e30;
  for (int i = 0; i < 2; ++i) {
    auto const start = Clock::now();
    (void)pass().item();
    best = std::min(best, seconds_since(start));
  }
  return best;
}

}  // namespace detail

/// Time is that of forward and backward passes alone, as a training step takes little more. Models of its own
/// are built and thrown away. Takes six passes.
template <class B>
[[nodiscard]] RunEstimate estimate_run(typename B::Context& context, RunConfig const& config) {
  using Dry = ds::backend::DryRun<B>;
  ds::UNet<B> const denoiser{context, denoiser_config(config)};
  RunEstimate result{.denoiser_parameters = ds::parameters(denoiser).size()};
  int threads = 1;
  if constexpr (requires { context.threads(); }) threads = context.threads().threads();
  auto const dry_bytes = [&](auto const& pass) {
    return static_cast<double>(ds::estimate(pass, threads).peak_bytes);
  };
  double const denoiser_bytes =
      dry_bytes([&](auto& dry) { detail::denoiser_pass<Dry>(dry, denoiser, config); });
  result.denoiser_seconds = static_cast<double>(config.denoiser_steps) * detail::seconds_of([&] {
                              return detail::denoiser_pass<B>(context, denoiser, config);
                            });

  ds::DiffSiam<B> const model{ds::ModularEncoder<B>{context, encoder_config<B>(config)},
                              ds::ShiftDecoder<B>{context, denoiser, {.latent_dims = config.latent_dims}}};
  ds::NtXentHalf<B> const siamese{
      context,
      {.head = {.dims = config.latent_dims, .hidden = 2 * config.latent_dims, .out = config.latent_dims},
       .temperature = config.temperature}};
  result.diffsiam_parameters = ds::parameters(model, siamese).size();
  double const diffsiam_bytes =
      dry_bytes([&](auto& dry) { detail::diffsiam_pass<Dry>(dry, model, siamese, config); });
  result.diffsiam_seconds = static_cast<double>(config.steps) * detail::seconds_of([&] {
                              return detail::diffsiam_pass<B>(context, model, siamese, config);
                            });
  // Weight, gradient, two moments of Adam and the average of each trained value; the frozen denoiser's once.
  auto const of_weights = [](ds::Index trained, ds::Index frozen) {
    return static_cast<double>(sizeof(float)) * static_cast<double>(5 * trained + frozen);
  };
  result.bytes =
      std::max(denoiser_bytes + of_weights(result.denoiser_parameters, 0),
               diffsiam_bytes + of_weights(result.diffsiam_parameters, result.denoiser_parameters));
  return result;
}

[[nodiscard]] inline std::string shown(RunEstimate const& estimate) {
  auto const minutes = [](double seconds) { return ds::io::format_fixed(seconds / 60, 1); };
  auto const millions = [](ds::Index count) {
    return ds::io::format_fixed(static_cast<double>(count) / 1e6, 2);
  };
  return "denoiser of " + millions(estimate.denoiser_parameters) + " M parameters, DiffSiam of " +
         millions(estimate.diffsiam_parameters) +
         " M\nestimate: " + ds::io::format_fixed(estimate.bytes / 1e9, 2) +
         " GB for networks and activations; training " + minutes(estimate.denoiser_seconds) + " + " +
         minutes(estimate.diffsiam_seconds) + " minutes on this machine";
}

}  // namespace experiments
