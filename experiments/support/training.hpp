// The two stages of the main job. Each ends in a file of published weights, keeps a checkpoint to resume
// from, and writes its metrics as JSON lines.
#pragma once

#include <algorithm>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>

#include <diffsiam/concepts/backend.hpp>
#include <diffsiam/core/half.hpp>
#include <diffsiam/data/loader.hpp>
#include <diffsiam/io/json_lines.hpp>
#include <diffsiam/io/leftovers.hpp>
#include <diffsiam/io/published_weights.hpp>
#include <diffsiam/train/adam.hpp>
#include <diffsiam/train/checkpoint.hpp>
#include <diffsiam/train/ema.hpp>
#include <diffsiam/train/feed.hpp>
#include <diffsiam/train/loop.hpp>
#include <diffsiam/train/recorded_step.hpp>
#include <diffsiam/train/step.hpp>

#include <experiments/support/console.hpp>
#include <experiments/support/fashion_run.hpp>
#include <experiments/support/interrupt.hpp>

namespace example {

/// What a stage is run with.
struct StageOptions {
  std::string name;  ///< of its files and its progress line
  std::uint64_t steps = 0;
  ds::Index images_per_step = 0;  ///< for the rate that is shown
  bool resume = false;
  std::string config;      ///< what a checkpoint must have been written with
  std::uint64_t seed = 0;  ///< of the order of pictures
  /// Puts the next batch where the loss function reads it, before each step.
  std::function<void()> next_batch = [] {};
  /// Called ten times on the way, with the average as the model.
  std::function<void(std::uint64_t step)> look = [](std::uint64_t) {};
};

/// Recorded once and replayed, where the backend records. Throws Interrupted when a signal asked for a stop,
/// once the loop has saved.
template <class Step, class Loss>
void run_steps(ds::train::Loop const& loop, Step& step, Loss const& loss) {
  StopOnSignals const signals;
  if constexpr (ds::backend::Recordable<typename Step::Backend>) {
    ds::train::RecordedStep recorded{step};
    loop.run(recorded, loss);
  } else {
    loop.run(step, loss);
  }
  // A signal during the last step comes too late for the loop to see it.
  if (stop_requested)
    throw ds::Interrupted("stopped after the last step, which is saved; go on with --resume");
}

/// Runs `step` to its end with a progress line, metrics and checkpoints, then leaves the averaged weights in
/// `result` and in a file. `modules` are all that is trained; `result` is or is part of them.
template <class Step, class Loss, class Result, class... M>
StageSpeed run_stage(StageOptions const& options, RunFolder const& folder, Step& step,
                     ds::data::Loader& loader, Loss const& loss, Result const& result, M const&... modules) {
  std::filesystem::path const checkpoint_path = folder.root / (options.name + ".checkpoint.safetensors");
  std::filesystem::path const metrics_path = folder.root / (options.name + ".metrics.jsonl");
  std::filesystem::path const weights = folder.root / (options.name + ".safetensors");
  // Of a run that was killed while it saved.
  for (auto const& path : {checkpoint_path, metrics_path, weights}) ds::io::remove_leftovers(path);
  ds::train::Checkpoint const checkpoint{checkpoint_path,
                                         {.config = options.config, .may_differ = {"backend", "precision"}}};
  bool const resumed = options.resume && checkpoint.exists();
  if (resumed) {
    auto const at = checkpoint.load(step, modules...);
    loader.seek(ds::data::LoaderPosition{.epoch = at.epoch, .batch = static_cast<ds::Index>(at.batch)});
  }
  auto const first_step = static_cast<std::int64_t>(step.steps());
  auto metrics =
      resumed ? ds::io::JsonLines::resume(metrics_path, first_step) : ds::io::JsonLines::create(metrics_path);
  auto const save = [&] {
    auto const at = loader.position();
    checkpoint.save(
        step, {.epoch = at.epoch, .batch = static_cast<std::uint64_t>(at.batch), .order_seed = options.seed},
        modules...);
  };

  Progress progress{options.name, static_cast<std::int64_t>(options.steps), "steps", first_step};
  Clock::time_point const start = Clock::now();
  ds::train::Loop loop{{.steps = options.steps, .stop = &stop_requested}};
  loop.before_step(options.next_batch);
  bool warned = false;
  loop.on_step([&](ds::train::StepStatistics const& s) {
    if (!s.without_gradient.empty() && !std::exchange(warned, true))
      say("note: step " + std::to_string(s.step) + " has no gradient for " +
          std::to_string(s.without_gradient.size()) + " trainable parameters, '" +
          s.without_gradient.front() + "' the first of them");
    nlohmann::ordered_json record{{"step", s.step}, {"loss", s.loss}};
    for (auto const& part : s.parts) record[part.name] = part.value;
    record["gradient_norm"] = s.gradient_norm.value_or(0);
    record["learning_rate"] = s.learning_rate;
    record["seconds"] = s.seconds;
    metrics.append(record);
    double const rate = static_cast<double>(options.images_per_step) / s.seconds;
    progress(static_cast<std::int64_t>(s.step), "loss " + ds::io::format_fixed(s.loss, 4) + "  " +
                                                    std::to_string(static_cast<int>(rate)) + " images/s");
  });
  loop.save({.steps = 100}, save);
  using Average = ds::train::Ema<typename Result::Backend>;
  loop.every(std::max<std::uint64_t>(1, options.steps / 10), [&](ds::train::StepStatistics const& s) {
    typename Average::Scope const averaged{*step.ema()};
    options.look(s.step);
  });
  loop.on_interrupt([&] {
    save();
    return "saved to " + checkpoint_path.string() + "; go on with --resume";
  });
  run_steps(loop, step, loss);

  double const seconds = seconds_since(start);
  auto const done = static_cast<std::int64_t>(step.steps()) - first_step;
  {
    typename Average::Scope const averaged{*step.ema()};
    ds::io::save_weights(weights, result);
  }
  // From here on the average is the model.
  ds::io::load_weights(weights, result);
  return {seconds, done == 0 ? 0 : static_cast<double>(done * options.images_per_step) / seconds};
}

/// Loss scaling where B keeps gradients in float16, which they would leave.
template <class B>
[[nodiscard]] std::optional<ds::train::LossScaler::Config> loss_scaling() {
  if constexpr (std::is_same_v<ds::backend::StorageOf<B>, ds::Half>) return ds::train::LossScaler::Config{};
  return std::nullopt;
}

/// A denoiser on all training pictures.
template <class B>
[[nodiscard]] StageSpeed train_denoiser(typename B::Context& context, ds::UNet<B> const& denoiser,
                                        Pictures const& pictures, RunConfig const& config,
                                        RunFolder const& folder, bool resume, float flip = 0.5F) {
  ds::NoiseSchedule const schedule = ds::NoiseSchedule::linear();
  ds::loss::Noise const noise_loss{schedule};
  ds::train::Adam<B> adam{ds::parameters(denoiser), {.learning_rate = config.denoiser_rate}};
  ds::train::Ema<B> ema{ds::parameters(denoiser)};
  ds::train::TrainStep step{adam,
                            {.rng = {.seed = config.seed, .stream = 10}, .loss_scaling = loss_scaling<B>()},
                            ds::train::Cosine{{.steps = config.denoiser_steps, .floor = 0.1}},
                            &ema};
  ds::data::Loader loader{pictures.train,
                          {.batch_size = config.denoiser_batch, .seed = config.seed, .flip = flip}};
  ds::train::Feed<B> images{context, pictures.train.shape().with_samples(config.denoiser_batch)};
  auto const loss = [&](ds::Tape<B>& tape, ds::train::MicroBatch const& at) {
    auto const noised = ds::add_noise(schedule, images.tensor(), at.rng);
    return noise_loss(denoiser(tape.input(noised.x_t), noised.t), noised);
  };
  StageOptions const options{.name = "denoiser",
                             .steps = config.denoiser_steps,
                             .images_per_step = config.denoiser_batch,
                             .resume = resume,
                             .config = config.json().dump(),
                             .seed = config.seed,
                             .next_batch = [&] { images.put(loader.next().images); }};
  return run_stage(options, folder, step, loader, loss, denoiser, denoiser);
}

/// Encoder and shift decoder on top of the denoiser, and the siamese half beside them: L = L_diffusion + w
/// NT-Xent, of two views of a picture, or of a picture and a partner.
template <class B>
[[nodiscard]] StageSpeed train_diffsiam(typename B::Context& context, ds::DiffSiam<B> const& model,
                                        Pictures const& pictures, RunConfig const& config,
                                        RunFolder const& folder, bool resume,
                                        std::optional<ds::data::Partners> const& partners,
                                        std::function<void(std::uint64_t)> look) {
  ds::NtXentHalf<B> const siamese{context,
                                  {.head = {.dims = config.latent_dims,
                                            .hidden = 2 * config.latent_dims,
                                            .out = config.latent_dims,
                                            .seed = config.seed + 3},
                                   .temperature = config.temperature}};
  auto const list = ds::parameters(model, siamese);
  ds::train::Adam<B> adam{list, {.learning_rate = config.rate}};
  ds::train::Ema<B> ema{list};
  ds::train::TrainStep step{adam,
                            {.rng = {.seed = config.seed, .stream = 20}, .loss_scaling = loss_scaling<B>()},
                            ds::train::Cosine{{.steps = config.steps, .floor = 0.1}},
                            &ema};
  // One loader for both halves, each of which takes its share of a batch.
  ds::data::Loader loader{pictures.train,
                          {.batch_size = std::max(config.batch, config.siamese_batch),
                           .seed = config.seed + 4,
                           .views = ds::data::TwoViews{fashion_views()},
                           .partners = partners}};
  ds::Shape const picture = pictures.train.shape();
  ds::train::Feed<B> images{context, picture.with_samples(config.batch)};
  ds::train::Feed<B> views{context, picture.with_samples(2 * config.siamese_batch)};
  auto const next_batch = [&] {
    auto const batch = loader.next();
    images.put(batch.first(config.batch).images);
    auto const joined = batch.first(config.siamese_batch);
    views.put({joined.views[0], joined.views[1]});
  };
  auto const loss = [&](ds::Tape<B>& tape, ds::train::MicroBatch const& at) {
    auto const noised = ds::add_noise(model.schedule(), images.tensor(), at.rng);
    auto const diffusion = model.diffusion_loss(model.encode(tape.input(images.tensor())), noised);
    auto const nt_xent = siamese(model.encode(tape.input(views.tensor())));
    return ds::train::Losses<B, 2>{
        .total = ds::ops::linear_combination(1, diffusion, config.siamese_weight, nt_xent),
        .parts = {{{"diffusion", diffusion.value()}, {"nt_xent", nt_xent.value()}}},
        .images = config.batch};
  };
  StageOptions const options{.name = "diffsiam",
                             .steps = config.steps,
                             .images_per_step = config.batch,
                             .resume = resume,
                             .config = config.json().dump(),
                             .seed = config.seed,
                             .next_batch = next_batch,
                             .look = std::move(look)};
  return run_stage(options, folder, step, loader, loss, model, model, siamese);
}

}  // namespace example
