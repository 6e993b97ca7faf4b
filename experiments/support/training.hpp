// The two stages of the main job: a denoiser, and DiffSiam on top of it.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <iostream>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include <diffsiam/data/loader.hpp>
#include <diffsiam/dist/single_process.hpp>
#include <diffsiam/train/averaged_adam.hpp>
#include <diffsiam/train/feed.hpp>
#include <diffsiam/train/stage.hpp>

#include <experiments/support/division.hpp>
#include <experiments/support/interrupt.hpp>
#include <experiments/support/run_config.hpp>

namespace experiments {

using ds::train::StageConfig;
using ds::train::StageSpeed;

/// Runs a stage as all programs do: its progress is shown, and a signal stops it. With `tensorboard` its
/// curves go to tensorboard/NAME in the folder of the run, too.
template <class Step, class Loss, class... M>
StageSpeed run_stage(StageConfig config, bool tensorboard, Step& step, ds::data::Loader& loader,
                     Loss const& loss, M const&... modules) {
  std::optional<ds::io::SummaryWriter> curves;
  if (tensorboard) {
    curves.emplace(config.folder / "tensorboard" / config.name);
    config.metrics_to.push_back(ds::train::tensorboard(*curves));
  }
  config.may_differ = {"backend", "precision"};
  config.progress = &std::cout;
  config.stop = &stop_requested;
  StopOnSignals const signals;
  return ds::train::Stage{std::move(config)}.run(step, loader, loss, modules...);
}

/// A denoiser on all training pictures.
template <class B>
StageSpeed train_denoiser(typename B::Context& context, ds::UNet<B> const& denoiser, Pictures const& pictures,
                          RunConfig const& config, std::filesystem::path const& folder, bool resume,
                          ds::dist::CommunicatorRef const& ranks, float flip = 0.5F) {
  ds::NoiseSchedule const schedule = ds::NoiseSchedule::linear();
  ds::loss::Noise const noise_loss{schedule};
  ds::train::AveragedAdam<B> training{ds::parameters(denoiser),
                                      {.learning_rate = config.denoiser_rate,
                                       .steps = config.denoiser_steps,
                                       .rng = {.seed = config.seed, .stream = 10}}};
  Division<B> division{ranks, ds::parameters(denoiser), config.pieces};
  division.divide(training.step);
  ds::data::Loader loader{pictures.train,
                          {.batch_size = config.denoiser_batch,
                           .seed = config.seed,
                           .flip = flip,
                           .part = division.part(config.denoiser_batch)}};
  ds::train::Feed<B> images{context,
                            pictures.train.shape().with_samples(division.own_samples(config.denoiser_batch))};
  auto const loss = [&](ds::Tape<B>& tape, ds::train::MicroBatch const& at) {
    auto const noised = ds::add_noise(schedule, at.part(images.tensor()), at.rng);
    return noise_loss(denoiser(tape.input(noised.x_t), noised.t), noised);
  };
  return run_stage({.name = "denoiser",
                    .folder = folder,
                    .steps = config.denoiser_steps,
                    .resume = resume,
                    .settings = config.json(),
                    .images_per_step = config.denoiser_batch,
                    .next_batch = [&] { images.put(loader.next().images); }},
                   config.tensorboard, training.step, loader, loss, denoiser);
}

/// Encoder and shift decoder on top of the denoiser, and the siamese half beside them: L = L_diffusion + w
/// NT-Xent, of two views of a picture, or of a picture and a partner.
template <class B>
StageSpeed train_diffsiam(typename B::Context& context, ds::DiffSiam<B> const& model,
                          Pictures const& pictures, RunConfig const& config,
                          std::filesystem::path const& folder, bool resume,
                          std::optional<ds::data::Partners> const& partners,
                          std::function<void(std::uint64_t)> look, ds::dist::CommunicatorRef const& ranks) {
  ds::NtXentHalf<B> const siamese{context,
                                  {.head = {.dims = config.latent_dims,
                                            .hidden = 2 * config.latent_dims,
                                            .out = config.latent_dims,
                                            .seed = config.seed + 3},
                                   .temperature = config.temperature}};
  ds::train::AveragedAdam<B> training{
      ds::parameters(model, siamese),
      {.learning_rate = config.rate, .steps = config.steps, .rng = {.seed = config.seed, .stream = 20}}};
  Division<B> division{ranks, ds::parameters(model, siamese), config.pieces};
  division.divide(training.step);
  // One loader for both halves, each of which takes its share of a batch.
  ds::Index const batch_size = std::max(config.batch, config.siamese_batch);
  ds::data::Loader loader{pictures.train,
                          {.batch_size = batch_size,
                           .seed = config.seed + 4,
                           .views = ds::data::TwoViews{views_for(config.channels)},
                           .partners = partners,
                           .part = division.part(batch_size)}};
  ds::Shape const picture = pictures.train.shape();
  ds::train::Feed<B> images{context, picture.with_samples(division.own_samples(config.batch))};
  ds::train::Feed<B> views{context, picture.with_samples(2 * division.own_samples(config.siamese_batch))};
  std::vector<std::span<float const>> parts;
  auto const next_batch = [&] {
    auto const batch = loader.next();
    parts.clear();
    for (auto const& few : division.first_of_pieces(batch, config.batch)) parts.push_back(few.images);
    images.put_parts(std::span<std::span<float const> const>{parts});
    parts.clear();
    for (auto const& joined : division.first_of_pieces(batch, config.siamese_batch))
      parts.insert(parts.end(), joined.views.begin(), joined.views.end());
    views.put_parts(std::span<std::span<float const> const>{parts});
  };
  auto const loss = [&](ds::Tape<B>& tape, ds::train::MicroBatch const& at) {
    auto const own = at.part(images.tensor());
    auto const noised = ds::add_noise(model.schedule(), own, at.rng);
    auto const diffusion = model.diffusion_loss(model.encode(tape.input(own)), noised);
    auto const nt_xent = siamese(model.encode(tape.input(at.part(views.tensor()))));
    return ds::train::Losses<B, 2>{
        .total = ds::ops::linear_combination(1, diffusion, config.siamese_weight, nt_xent),
        .parts = {{{"diffusion", diffusion.value()}, {"nt_xent", nt_xent.value()}}},
        .images = config.batch / at.pieces};
  };
  return run_stage({.name = "diffsiam",
                    .folder = folder,
                    .steps = config.steps,
                    .resume = resume,
                    .settings = config.json(),
                    .images_per_step = config.batch,
                    .next_batch = next_batch,
                    .look = std::move(look)},
                   config.tensorboard, training.step, loader, loss, model, siamese);
}

}  // namespace experiments
