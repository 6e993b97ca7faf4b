// TrainStep: one step of training, in micro-batches whose gradients add up to that of the whole batch:
// loss = mean of the micro-batches' losses, by their images where the loss function tells of them; check,
// backward, unscale, clip, optimizer, EMA.
#pragma once

#include <chrono>
#include <cmath>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <diffsiam/train/clip.hpp>
#include <diffsiam/train/ema.hpp>
#include <diffsiam/train/gradient_reach.hpp>
#include <diffsiam/train/learning_rate.hpp>
#include <diffsiam/train/loss_scaler.hpp>
#include <diffsiam/train/losses.hpp>
#include <diffsiam/train/optimizer.hpp>

namespace diffsiam::train {

/// What a step has to tell; means over its micro-batches, or over their images where those are told of.
struct StepStatistics {
  std::uint64_t step = 0;  ///< steps completed, this one included
  double loss = 0;
  std::vector<NamedValue> parts;
  std::optional<double> gradient_norm;  ///< before clipping, without the loss scale; none if skipped
  double learning_rate = 0;
  double seconds = 0;                  ///< the loss function included
  Index images = 0;                    ///< as far as the loss function told
  std::optional<double> loss_scale{};  ///< of this step, where losses are scaled
  bool skipped = false;                ///< gradients overflowed: nothing moved, and the scale was halved
  /// Names of the optimizer's trainable parameters that the step's gradient has not reached: their module was
  /// not run, or on a plain tensor in place of a taped one, or the loss does not depend on it.
  std::vector<std::string> without_gradient{};
};

struct StepConfig {
  int accumulate = 1;        ///< micro-batches a step
  double max_norm = 0;       ///< of the gradient; 0: no clipping
  bool measure_norm = true;  ///< also finds gradients that are NaN or infinite before they reach the weights
  Rng rng{};                 ///< seed and stream of the run
  /// Scales losses for the backward pass (see LossScaler). Gradients are divided by the scale before they are
  /// clipped, in the pass that clips, and their norm is always measured. A step whose gradients are not
  /// finite is skipped: it counts as a step of the run, not of the optimizer and the EMA, and what buffers
  /// proposed is discarded. It throws where the scale can shrink no further.
  std::optional<LossScaler::Config> loss_scaling{};
  /// False: a step throws ConfigError, before it goes back, when its loss reads a trainable parameter that
  /// the optimizer does not have: mostly one of a layer that for_each_child does not name. Freeze what is not
  /// to be trained; where optimizers take turns, freeze what the others train. True: gradients of such
  /// parameters add up until the caller takes them.
  bool allow_other_parameters = false;
};

template <class Step>
class RecordedStep;

/// Optimizer and EMA are borrowed. `schedule` scales the optimizer's learning rate.
template <Optimizer O, LearningRateSchedule S = ConstantRate>
class TrainStep {
 public:
  using Backend = typename O::Backend;

  /// Throws ConfigError for settings outside their range.
  explicit TrainStep(O& optimizer, StepConfig config = {}, S schedule = {}, Ema<Backend>* ema = nullptr)
      : optimizer_(&optimizer),
        config_(config),
        schedule_(std::move(schedule)),
        ema_(ema),
        reach_(optimizer.parameters()) {
    if (config.accumulate < 1) fail<ConfigError>("TrainStep", "accumulate of 1 or more", config.accumulate);
    detail::require_not_negative("TrainStep", "max_norm", config.max_norm);
    if (config.loss_scaling) scaler_.emplace(*config.loss_scaling);
  }

  /// A whole step, or the rest of one that has begun. loss_fn(Tape&, MicroBatch const&) returns a taped
  /// scalar or Losses (anything with `total`, and perhaps `parts` and `images`). Throws NumericError when a
  /// loss or the gradient is not finite, ConfigError for parameters that are not the optimizer's: then, as
  /// with every exception of loss_fn, weights, optimizer, EMA and buffers are as before the step, gradients
  /// zero.
  template <class F>
  StepStatistics operator()(F&& loss_fn) {
    while (true)
      if (auto statistics = micro_batch(loss_fn)) return *std::move(statistics);
  }

  /// One micro-batch; statistics when it completed the step. Throws as above.
  template <class F>
  std::optional<StepStatistics> micro_batch(F&& loss_fn) {
    if (ema_ != nullptr) ema_->require_outside("update");
    try {
      accumulate(loss_fn);
      if (pending_.micro_batches < config_.accumulate) return std::nullopt;
      return complete();
    } catch (...) {
      discard();
      throw;
    }
  }

  /// Forgets a step that has begun: gradients zero, proposals of buffers discarded.
  void discard() {
    forget_gradients();
    pending_ = {};
  }

  [[nodiscard]] std::uint64_t steps() const { return steps_; }
  [[nodiscard]] PendingStep const& pending() const& { return pending_; }
  [[nodiscard]] PendingStep pending() const&& { return pending_; }
  /// Where a checkpoint was taken; gradients and proposals of a pending step are the caller's to restore.
  void restore(std::uint64_t steps, PendingStep pending, Rng rng) {
    steps_ = steps;
    pending_ = std::move(pending);
    reach_.restore(pending_.without_gradient);
    config_.rng = rng;
  }
  [[nodiscard]] StepConfig const& config() const& { return config_; }
  [[nodiscard]] StepConfig config() const&& { return config_; }
  [[nodiscard]] O& optimizer() const { return *optimizer_; }
  /// Null without one.
  [[nodiscard]] Ema<Backend>* ema() const { return ema_; }
  /// Empty unless losses are scaled.
  [[nodiscard]] std::optional<LossScaler> const& loss_scaler() const& { return scaler_; }
  [[nodiscard]] std::optional<LossScaler> loss_scaler() const&& { return scaler_; }
  [[nodiscard]] std::optional<LossScaler>& loss_scaler() & { return scaler_; }

 private:
  template <class Step>
  friend class RecordedStep;
  using Clock = std::chrono::steady_clock;
  using Scalar = typename Backend::Scalar;
  // Streams of the tape count up from the run's own; the caller's stand far off.
  static constexpr std::uint32_t caller_stream = 0x80000000u;

  /// Runs the loss function of a micro-batch; then(tape, losses) goes back.
  template <class F, class Then>
  void on_tape(F& loss_fn, int index, Then const& then) {
    auto& context = optimizer_->parameters().parameters.front().parameter.value().context();
    auto const number =
        steps_ * static_cast<std::uint64_t>(config_.accumulate) + static_cast<std::uint64_t>(index);
    Rng const rng = config_.rng.at_step(number);
    Tape<Backend> tape{context, {.mode = Mode::training, .rng = rng}};
    MicroBatch const at{steps_, index, rng.with_stream(rng.stream ^ caller_stream)};
    auto const& losses = loss_fn(tape, at);
    if (!config_.allow_other_parameters) reach_.require_known(tape);
    then(tape, losses);
    if (index == 0)
      reach_.begin(tape);
    else
      reach_.note(tape);
  }
  template <class F>
  void accumulate(F& loss_fn) {
    auto const start = Clock::now();
    on_tape(loss_fn, pending_.micro_batches, [&](Tape<Backend>& tape, auto const& losses) {
      double const weight = detail::add_losses<Backend>(pending_, losses, steps_, config_.accumulate);
      // Rounded as a device does that is sent the first factor.
      auto const seed = static_cast<Scalar>((scaler_ ? scaler_->scale() : 1.0) / config_.accumulate);
      tape.backward(detail::total_of(losses), static_cast<double>(seed * static_cast<Scalar>(weight)));
    });
    ++pending_.micro_batches;
    pending_.without_gradient = reach_.without_gradient();
    pending_.seconds += seconds_since(start);
  }

  StepStatistics complete() {
    auto const start = Clock::now();
    double const weight = detail::last_weight(pending_, config_.accumulate);
    detail::apply_last_weight(pending_, weight);
    detail::scale_gradients(optimizer_->parameters(), weight);
    StepStatistics statistics{.step = steps_ + 1,
                              .loss = pending_.loss,
                              .parts = pending_.parts,
                              .gradient_norm = {},
                              .learning_rate = optimizer_->learning_rate() * factor(),
                              .seconds = 0,
                              .images = pending_.images,
                              .without_gradient = reach_.names_without_gradient()};
    prepare_gradients(statistics);
    if (!statistics.skipped) move_weights();
    statistics.seconds = pending_.seconds + seconds_since(start);
    pending_ = {};
    ++steps_;
    return statistics;
  }

  /// Measures, unscales and clips the gradients, or finds that they cannot be used.
  void prepare_gradients(StepStatistics& statistics) {
    auto const& list = optimizer_->parameters();
    try {
      if (scaler_) {
        unscale(statistics);
      } else if (config_.max_norm > 0) {
        statistics.gradient_norm = clip_by_norm(list, config_.max_norm);
      } else if (config_.measure_norm) {
        statistics.gradient_norm = global_norm(list);
      }
    } catch (NumericError const& error) {
      throw NumericError("train, step " + std::to_string(steps_ + 1) + ": " + error.what());
    }
  }
  void unscale(StepStatistics& statistics) {
    auto const& list = optimizer_->parameters();
    double const scale = scaler_->scale();
    double const norm = detail::norm_of(detail::squared_norms(list),
                                        [&](Index i, double square) {
                                          if (!scaler_->can_shrink()) detail::require_finite(list, i, square);
                                        }) /
                        scale;
    statistics.loss_scale = scale;
    statistics.skipped = !std::isfinite(norm);
    scaler_->update(!statistics.skipped);
    if (statistics.skipped) return forget_gradients();
    statistics.gradient_norm = norm;
    detail::scale_gradients(list, functional::clip_factor(norm, config_.max_norm) / scale);
  }
  void move_weights() {
    if (ema_ != nullptr) {
      ema_->begin_update();
      detail::step_with(*optimizer_, factor(), *ema_);
      ema_->end_update();
    } else {
      optimizer_->step(factor());
    }
  }
  /// Gradients zero, proposals of buffers discarded.
  void forget_gradients() {
    auto const& list = optimizer_->parameters();
    for (auto const& [name, parameter] : list.parameters)
      if (parameter.trainable()) parameter.gradient().fill(0);
    for (auto const& [name, buffer] : list.buffers) buffer.discard();
  }

  [[nodiscard]] double factor() const { return static_cast<double>(schedule_(steps_)); }

  static double seconds_since(Clock::time_point start) {
    return std::chrono::duration<double>(Clock::now() - start).count();
  }

  O* optimizer_;
  StepConfig config_;
  S schedule_;
  Ema<Backend>* ema_;
  GradientReach<Backend> reach_;
  std::optional<LossScaler> scaler_;
  std::uint64_t steps_ = 0;
  PendingStep pending_;
};

}  // namespace diffsiam::train
