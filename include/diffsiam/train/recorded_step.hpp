// RecordedStep: a TrainStep whose work is recorded once and then replayed. The device goes from step to step
// without waiting for the host: nothing is launched one by one, and no loss is read before the weights
// change.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>

#include <diffsiam/backend/recording.hpp>
#include <diffsiam/concepts/recording.hpp>
#include <diffsiam/train/step.hpp>
#include <diffsiam/train/step_recorder.hpp>

namespace diffsiam::train {

/// Step is a TrainStep, borrowed. The first steps are ordinary ones, which make plans and allocate memory.
/// Then the loss function is called once more, to be recorded, and not again. So batches must come through a
/// Feed, random numbers from MicroBatch::rng or the tape, and MicroBatch::step and the numbers of images no
/// longer change.
///
///     RecordedStep recorded{step};
///     for (...) { images.put(batch); if (auto last = recorded(loss_fn)) log(*last); }
///     log(*recorded.finish());
///
/// Weights, averages and losses are those of the ordinary step. Tensors that the step reads must outlive it;
/// gradients and states must stay in place.
template <class Step>
class RecordedStep {
 public:
  using Backend = typename Step::Backend;
  static_assert(backend::Recordable<Backend>, "This backend records nothing: take the TrainStep itself.");
  struct Config {
    int warm_up = 3;  ///< ordinary steps before the recording, at least 1
  };

  explicit RecordedStep(Step& step) : RecordedStep(step, Config{}) {}
  /// Throws ConfigError if warm_up is below 1, or if the step divides its batches among ranks that meet on
  /// the host.
  RecordedStep(Step& step, Config config) : step_(&step), config_(config) {
    if (config.warm_up < 1) fail<ConfigError>("RecordedStep", "warm_up of 1 step or more", config.warm_up);
    if (!records(step))
      fail<ConfigError>(
          "RecordedStep", "one rank, or ranks whose transfers are queued on the device (NcclRank)",
          {step.division()->ranks().size(), " ranks that meet on the host"}, "take the TrainStep itself");
  }
  /// Whether it takes this step.
  [[nodiscard]] static bool records(Step const& step) {
    return step.division() == nullptr || step.division()->recordable();
  }
  RecordedStep(RecordedStep const&) = delete;
  RecordedStep& operator=(RecordedStep const&) = delete;

  /// Runs or queues the next step. Returns the statistics of the latest step that is known to be done: this
  /// one during warm-up, later the one before (none at the first replay). Throws Error if the loss function
  /// reads values while it is recorded, or uploads other values than in the step before. Throws NumericError,
  /// one step late, if a loss or the gradient is not finite; that step has changed nothing, but the next one
  /// may have.
  template <class F>
  std::optional<StepStatistics> operator()(F&& loss_fn) {
    if (auto* const ema = step_->ema()) ema->require_outside("update");
    if (!recording_) {
      if (warmed_up_ < config_.warm_up) return warm_up(loss_fn);
      record(loss_fn);
    }
    // The next loss scale depends on the result of the last step.
    bool const waits = step_->loss_scaler().has_value();
    std::optional<StepStatistics> last;
    if (waits) last = finish();
    replay();
    return waits ? last : tell(turn_ ^ 1U);
  }

  /// Waits for the last step and returns its statistics; empty if they were returned before. Call it before
  /// evaluations and checkpoints.
  std::optional<StepStatistics> finish() { return tell(turn_); }

  /// Number of steps of the run that were begun; the device may still be at the last one.
  [[nodiscard]] std::uint64_t steps() const { return step_->steps(); }
  /// Whether steps are being replayed.
  [[nodiscard]] bool recorded() const { return recording_.has_value(); }
  /// Bytes of memory that only the recording uses; 0 without a recording.
  [[nodiscard]] std::size_t reserved_bytes() const { return recording_ ? recording_->reserved_bytes() : 0; }

 private:
  using T = typename Backend::Scalar;
  using Clock = std::chrono::steady_clock;
  using Context = typename Backend::Context;
  using PinnedBuffer = typename Backend::PinnedBuffer;
  using Recorder = StepRecorder<typename Step::Plan>;
  using Recording = decltype(std::declval<Context&>().record(nullptr, std::declval<FunctionRef<void()>>()));
  /// A replay whose report has not arrived yet.
  struct Replay {
    std::unique_ptr<PinnedBuffer> report;
    std::optional<StepStatistics> begun;
  };

  [[nodiscard]] Context& context() const { return step_->context(); }

  /// Stops with its scope, even if the step throws.
  struct UploadWatch {
    explicit UploadWatch(backend::RecordingState& watched) : state(watched) { state.watch_uploads(true); }
    UploadWatch(UploadWatch const&) = delete;
    UploadWatch& operator=(UploadWatch const&) = delete;
    ~UploadWatch() { state.watch_uploads(false); }
    backend::RecordingState& state;
  };
  template <class F>
  StepStatistics warm_up(F& loss_fn) {
    UploadWatch const watch{context().recording_state()};
    StepStatistics const statistics = (*step_)(loss_fn);
    uploads_ = watch.state.uploads();
    ++warmed_up_;
    told_at_ = Clock::now();
    return statistics;
  }

  template <class F>
  void record(F& loss_fn) {
    recorder_.emplace(*step_);
    try {
      Recording recording = context().record(recorder_->rng_offset(), [&] { recorder_->record(loss_fn); });
      if (context().recording_state().uploads() != uploads_)
        fail<Error>("RecordedStep", "the same values uploaded at every step",
                    "others while it is recorded than in the step before",
                    "what changes from step to step comes through a Feed");
      auto const bytes = static_cast<std::size_t>(recorder_->report().size()) * sizeof(T);
      for (Replay& replay : replays_) replay.report = std::make_unique<PinnedBuffer>(context(), bytes);
      recording_.emplace(std::move(recording));
    } catch (...) {
      recorder_.reset();
      step_->discard();
      throw;
    }
  }

  void replay() {
    recorder_->send();
    Replay& next = replays_[turn_ ^= 1U];
    next.begun = step_->begun();
    recording_->replay();
    next.report->fetch(recorder_->report().data());
    step_->count_step();
    recorder_->count(1);
    if (step_->division() != nullptr) step_->division()->agree_on_stop();
  }

  /// Waits for a replay and returns its statistics; empty if there is none. A step that has changed nothing
  /// is not counted.
  std::optional<StepStatistics> tell(unsigned turn) {
    Replay& done = replays_[turn];
    if (!done.begun) return std::nullopt;
    StepStatistics statistics = *std::exchange(done.begun, std::nullopt);
    try {
      recorder_->conclude(statistics, static_cast<T const*>(done.report->wait()));
    } catch (NumericError const&) {
      recorder_->count(-1);
      throw;
    }
    if (statistics.skipped) recorder_->count(-1);
    auto const now = Clock::now();
    statistics.seconds = std::chrono::duration<double>(now - std::exchange(told_at_, now)).count();
    return statistics;
  }

  Step* step_;
  Config config_;
  std::optional<Recorder> recorder_;
  std::optional<Recording> recording_;
  std::array<Replay, 2> replays_;  ///< used in turn
  unsigned turn_ = 0;
  std::uint64_t uploads_ = 0;  ///< of the last warm-up step
  int warmed_up_ = 0;
  Clock::time_point told_at_{};
};

}  // namespace diffsiam::train
