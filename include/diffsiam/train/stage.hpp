// Stage: a stage of training from its first step to its file of weights. It shows progress, writes metrics,
// saves and resumes, lets the program look at the averaged weights on the way, and replays recorded steps
// where the backend records. Any model, loss and data will do.
//
//   NAME.metrics.jsonl            a line for each step: loss, its parts, gradient norm, rate, seconds
//   NAME.checkpoint.safetensors   the run, so that it can be resumed
//   NAME.safetensors              the averaged weights, when the stage has ended
//
// Of a step that divides its batches among ranks (StepPlan::divide), all ranks run the stage together: rank 0
// alone shows and writes, and any number of ranks resumes.
#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <concepts>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include <diffsiam/concepts/recording.hpp>
#include <diffsiam/io/leftovers.hpp>
#include <diffsiam/io/progress_line.hpp>
#include <diffsiam/io/published_weights.hpp>
#include <diffsiam/train/checkpoint.hpp>
#include <diffsiam/train/loop.hpp>
#include <diffsiam/train/metric_sink.hpp>
#include <diffsiam/train/recorded_step.hpp>
#include <diffsiam/train/run_folder.hpp>
#include <diffsiam/train/stage_ranks.hpp>

namespace diffsiam::train {

/// Satisfied if and only if position() tells which batch comes next, as a struct with the whole numbers
/// `epoch` and `batch`, and seek(position) goes there again. Models: data::Loader, DataByStep.
template <class D>
concept ResumableData = requires(D& data) {
  data.seek(data.position());
  { data.position().epoch } -> std::convertible_to<std::uint64_t>;
  { data.position().batch } -> std::convertible_to<std::uint64_t>;
};

/// For a loss function that makes its batch from MicroBatch::step and MicroBatch::rng: there is no place to
/// keep.
struct DataByStep {
  /// Always the beginning.
  [[nodiscard]] DataPosition position() const { return {}; }
  /// Does nothing.
  void seek(DataPosition const&) {}
};

/// What a stage does. `steps` must be set.
struct StageConfig {
  std::string name = "training";       ///< with which its files and its progress line begin
  std::filesystem::path folder = ".";  ///< where its files are; it is made if it is missing
  std::uint64_t steps = 0;             ///< of the whole stage, those before a resume included
  bool resume = false;                 ///< goes on from the checkpoint in the folder, where there is one
  /// All that the weights depend on: a checkpoint of other settings is refused, but for those in
  /// `may_differ`.
  nlohmann::ordered_json settings = nlohmann::ordered_json::object();
  std::vector<std::string> may_differ{};  ///< keys of `settings` that may change when the stage is resumed
  SaveEvery save{.steps = 100};           ///< how often the checkpoint is written
  Index images_per_step = 0;              ///< for the rate that is shown; 0: it is left out

  /// Puts the next batch where the loss function reads it, such as a Feed. Called before each micro-batch.
  std::function<void()> next_batch = [] {};
  /// Called `looks` times on the way, with the averaged weights in the model; training goes on with its own.
  /// Called on all ranks, which then wait for each other however long it takes.
  std::function<void(std::uint64_t step)> look = [](std::uint64_t) {};
  std::uint64_t looks = 10;  ///< at least 1
  /// Called with what each step has to tell.
  std::function<void(StepStatistics const&)> on_step = [](StepStatistics const&) {};
  /// Further outputs of the metrics, beside the file of JSON lines: {tensorboard(writer)}.
  std::vector<MetricOutput> metrics_to{};

  std::ostream* progress = nullptr;         ///< where a progress line is shown
  std::atomic<bool> const* stop = nullptr;  ///< stops the stage once it is true: set by a signal handler, say
  /// False for a loss function that a recording does not fit: one that asks for batches or draws conclusions
  /// itself. Backends that record nothing do not ask.
  bool record = true;
};

/// A stage of a run: folder, settings, and whether it goes on are the run's.
///
///     StageConfig config = stage_of(folder, "denoiser", 500);
[[nodiscard]] inline StageConfig stage_of(RunFolder const& run, std::string name, std::uint64_t steps) {
  StageConfig config{.name = std::move(name), .folder = run.root(), .steps = steps};
  config.resume = run.config().resume;
  config.settings = run.settings();
  config.may_differ = run.config().may_differ;
  return config;
}

/// How fast a stage went, without what was done before a resume.
struct StageSpeed {
  std::uint64_t steps = 0;       ///< of this process
  double seconds = 0;            ///< wall time of these steps, with saves and looks
  double images_per_second = 0;  ///< 0 where no step was done, or images_per_step is not known
};

/// A stage of training:
///
///     data::Loader loader{pictures, {.batch_size = 64}};
///     Feed<B> images{context, {64, 28, 28, 1}};
///     AveragedAdam<B> training{nn::parameters(denoiser), {.learning_rate = 1e-3, .steps = 500}};
///     Stage const stage{{.name = "denoiser", .folder = "runs/mine", .steps = 500, .resume = true,
///                        .next_batch = [&] { images.put(loader.next().images); },
///                        .progress = &std::cout}};
///     auto const loss = [&](Tape<B>& tape, MicroBatch const& at) { ... };
///     stage.run(training.step, loader, loss, denoiser);
class Stage {
 public:
  /// Throws ConfigError for settings that no stage can be run with.
  explicit Stage(StageConfig config) : config_(std::move(config)) {
    if (config_.name.empty() || config_.name.find('/') != std::string::npos)
      fail<ConfigError>("Stage", "a name without '/', which its files begin with", {"'", config_.name, "'"});
    if (config_.steps < 1) fail<ConfigError>("Stage", "1 step or more", config_.steps);
    if (config_.looks < 1) fail<ConfigError>("Stage", "1 look or more", config_.looks);
    if (config_.images_per_step < 0)
      fail<ConfigError>("Stage", "images_per_step of 0 or more", config_.images_per_step);
    (void)SaveTimer{config_.save};
  }

  /// The file that a later run resumes from.
  [[nodiscard]] std::filesystem::path checkpoint_path() const { return file(StageFiles::checkpoint); }
  /// The file of JSON lines.
  [[nodiscard]] std::filesystem::path metrics_path() const { return file(StageFiles::metrics); }
  /// The file of the averaged weights, which ends the stage.
  [[nodiscard]] std::filesystem::path weights_path() const { return file(StageFiles::weights); }

  /// Trains by `step` (a TrainStep, with an Ema or without) and `loss_fn`, as TrainStep calls it, until all
  /// steps are done; then the averaged weights are those of the model, and in its file. `model` and `others`
  /// hold all that is trained; `others`, such as the heads of a loss, are kept in the checkpoint alone.
  /// Without `resume`, files of this name are replaced; a stage that had ended is not written again.
  ///
  /// Throws ConfigError before anything is written where the optimizer trains what no module holds, or the
  /// checkpoint is of other settings; Interrupted when `stop` is true, once all is saved; FileError where a
  /// file cannot be written; and what the step throws.
  template <class Step, ResumableData Data, class Loss, nn::Module Model, nn::Module... Others>
  StageSpeed run(Step& step, Data& data, Loss const& loss_fn, Model const& model,
                 Others const&... others) const {
    detail::StageRanks const ranks{step.division()};
    return ranks.guarded([&] { return run_together(ranks, step, data, loss_fn, model, others...); });
  }

 private:
  using Clock = std::chrono::steady_clock;

  template <class Ranks, class Step, class Data, class Loss, class Model, class... Others>
  StageSpeed run_together(Ranks const& ranks, Step& step, Data& data, Loss const& loss_fn, Model const& model,
                          Others const&... others) const {
    Checkpoint const checkpoint{checkpoint_path(),
                                {.config = config_.settings.dump(), .may_differ = config_.may_differ}};
    checkpoint.require_complete(step, model, others...);
    ranks.require_same("settings", config_.settings.dump(2));
    ranks.require_same_data(data);
    bool const resumed = ranks.agreed(config_.resume && checkpoint.exists());
    if (resumed) seek(data, checkpoint.load(step, model, others...));
    std::uint64_t const first_step = step.steps();
    bool const ended =
        ranks.agreed(resumed && first_step >= config_.steps && io::file_exists(weights_path()));
    ranks.require_same_start(step);
    if (!ended) {
      if (ranks.first()) prepare_folder(resumed);
      auto const save = [&] {
        if (ranks.first()) checkpoint.save(step, position_of(data), model, others...);
      };
      StageSpeed const speed = train(ranks, step, loss_fn, resumed, save);
      if (step.ema() != nullptr) step.ema()->copy_to_model();
      if (ranks.first()) io::save_weights(weights_path(), model);
      ranks.meet();
      return speed;
    }
    if (step.ema() != nullptr) step.ema()->copy_to_model();
    return {};
  }

  [[nodiscard]] std::filesystem::path file(char const* ending) const {
    return config_.folder / (config_.name + ending);
  }

  template <class Data>
  [[nodiscard]] static DataPosition position_of(Data& data) {
    auto const at = data.position();
    return {.epoch = static_cast<std::uint64_t>(at.epoch), .batch = static_cast<std::uint64_t>(at.batch)};
  }
  template <class Data>
  static void seek(Data& data, DataPosition const& saved) {
    auto at = data.position();
    at.epoch = static_cast<decltype(at.epoch)>(saved.epoch);
    at.batch = static_cast<decltype(at.batch)>(saved.batch);
    data.seek(at);
  }

  /// Removes what a killed process has left half written and, of a stage that begins anew, what the one
  /// before has left: it must not pass for this one's.
  void prepare_folder(bool resumed) const {
    io::create_folder(config_.folder);
    for (auto const& path : {checkpoint_path(), metrics_path(), weights_path()}) io::remove_leftovers(path);
    if (!resumed)
      for (auto const& path : {weights_path(), checkpoint_path()}) io::remove_file(path);
  }

  /// All steps, with metrics, progress, saves and looks.
  template <class Ranks, class Step, class Loss, class Save>
  [[nodiscard]] StageSpeed train(Ranks const& ranks, Step& step, Loss const& loss_fn, bool resumed,
                                 Save const& save) const {
    auto const first_step = static_cast<std::int64_t>(step.steps());
    std::vector<MetricSink> sinks;
    if (ranks.first()) sinks = open_sinks({.step = step.steps(), .resumed = resumed});
    std::optional<io::ProgressLine> progress;
    if (ranks.first() && config_.progress != nullptr)
      progress.emplace(*config_.progress, io::ProgressBar{.total = static_cast<std::int64_t>(config_.steps),
                                                          .label = config_.name,
                                                          .unit = "steps",
                                                          .start = first_step});
    bool told = false;
    std::atomic<bool> const* const stop = ranks.agreed_stop(config_.stop);
    Loop loop{{.steps = config_.steps, .stop = stop}};
    loop.before_step(config_.next_batch)
        .on_step([&](StepStatistics const& s) {
          nlohmann::ordered_json const record = record_of(s);
          for (MetricSink const& sink : sinks) sink(record);
          if (progress && !s.without_gradient.empty() && !std::exchange(told, true))
            progress->note(without_gradient(s));
          if (progress) (*progress)(static_cast<std::int64_t>(s.step), shown(s));
          config_.on_step(s);
        })
        .save(config_.save, save)
        .every(std::max<std::uint64_t>(1, config_.steps / config_.looks),
               [&](StepStatistics const& s) {
                 look(step, s.step);
                 ranks.meet();
               })
        .on_interrupt([&] {
          save();
          ranks.meet();
          return "saved to " + checkpoint_path().string();
        });

    Clock::time_point const start = Clock::now();
    run_loop(loop, step, loss_fn);
    // A stop during the last step comes too late for the loop to see it.
    ranks.meet();
    if (stop != nullptr && stop->load())
      throw Interrupted("train: stopped on request after the last step; saved to " +
                        checkpoint_path().string());
    std::uint64_t const done = step.steps() - static_cast<std::uint64_t>(first_step);
    double const seconds = std::chrono::duration<double>(Clock::now() - start).count();
    return {
        done, seconds,
        done == 0 ? 0 : static_cast<double>(done) * static_cast<double>(config_.images_per_step) / seconds};
  }
  [[nodiscard]] std::vector<MetricSink> open_sinks(StageStart const& start) const {
    std::vector<MetricSink> sinks{json_lines(metrics_path())(start)};
    for (MetricOutput const& open : config_.metrics_to) sinks.push_back(open(start));
    return sinks;
  }
  template <class Step, class Loss>
  void run_loop(Loop const& loop, Step& step, Loss const& loss_fn) const {
    if constexpr (backend::Recordable<typename Step::Backend>) {
      if (config_.record && RecordedStep<Step>::records(step)) {
        RecordedStep recorded{step};
        loop.run(recorded, loss_fn);
        return;
      }
    }
    loop.run(step, loss_fn);
  }
  template <class Step>
  void look(Step const& step, std::uint64_t number) const {
    std::optional<typename Ema<typename Step::Backend>::Scope> averaged;
    if (step.ema() != nullptr) averaged.emplace(*step.ema());
    config_.look(number);
  }

  [[nodiscard]] static nlohmann::ordered_json record_of(StepStatistics const& s) {
    nlohmann::ordered_json record{{"step", s.step}, {"loss", s.loss}};
    for (auto const& [name, value] : s.parts) record[name] = value;
    record["gradient_norm"] = s.gradient_norm.value_or(0);
    record["learning_rate"] = s.learning_rate;
    record["seconds"] = s.seconds;
    return record;
  }
  [[nodiscard]] std::string shown(StepStatistics const& s) const {
    std::string text = "loss " + io::format_fixed(s.loss, 4);
    if (config_.images_per_step > 0)
      text += "  " +
              std::to_string(static_cast<int>(static_cast<double>(config_.images_per_step) / s.seconds)) +
              " images/s";
    return text;
  }
  [[nodiscard]] static std::string without_gradient(StepStatistics const& s) {
    return "note: step " + std::to_string(s.step) + " has no gradient for " +
           std::to_string(s.without_gradient.size()) + " trainable parameters, '" +
           s.without_gradient.front() + "' the first of them";
  }

  StageConfig config_;
};

static_assert(ResumableData<DataByStep>);

}  // namespace diffsiam::train
