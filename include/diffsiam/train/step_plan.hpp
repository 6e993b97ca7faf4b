// StepPlan: what a training step does, and in which order:
//   accumulate  loss and backward pass of each micro-batch; gradients add up to that of the whole batch
//   judge       are the gradients finite? their norm, the loss scale, clipping
//   update      optimizer, averages, buffers; nothing changes unless the gradients are finite
// An executor carries it out: TrainStep at once, RecordedStep by recording it on a device that replays it.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include <diffsiam/dist/data_parallel.hpp>
#include <diffsiam/train/clip.hpp>
#include <diffsiam/train/ema.hpp>
#include <diffsiam/train/gradient_reach.hpp>
#include <diffsiam/train/learning_rate.hpp>
#include <diffsiam/train/loss_scaler.hpp>
#include <diffsiam/train/losses.hpp>
#include <diffsiam/train/optimizer.hpp>

namespace diffsiam::train {

/// The results of a step: means over its micro-batches, or over their images if these are counted.
struct StepStatistics {
  std::uint64_t step = 0;               ///< number of steps completed, including this one
  double loss = 0;                      ///< the mean total
  std::vector<NamedValue> parts;        ///< the parts of the loss that were reported
  std::optional<double> gradient_norm;  ///< before clipping, without the loss scale; empty if skipped
  double learning_rate = 0;             ///< of this step, with its schedule
  double seconds = 0;                   ///< includes the time of the loss function
  Index images = 0;                     ///< as counted by the loss function
  std::optional<double> loss_scale{};   ///< the scale of this step, if losses are scaled
  bool skipped = false;                 ///< gradients overflowed: nothing changed, and the scale was halved
  /// Names of the optimizer's trainable parameters that no gradient has reached: their module was not run, or
  /// was run on a plain tensor instead of a taped one, or the loss does not depend on it.
  std::vector<std::string> without_gradient{};
};

/// Settings of a training step.
struct StepConfig {
  int accumulate = 1;        ///< micro-batches in a step
  double max_norm = 0;       ///< largest norm of the gradient; 0: no clipping
  bool measure_norm = true;  ///< also finds gradients that are NaN or infinite before the weights change
  Rng rng{};                 ///< seed and stream of the run
  /// Scales losses for the backward pass (see LossScaler). Gradients are divided by the scale before
  /// clipping, in the same pass, and their norm is always measured. A step whose gradients are not finite is
  /// skipped: it counts as a step of the run, but not of the optimizer and the EMA, and proposed buffers are
  /// discarded. If the scale cannot be halved any more, the step throws NumericError.
  std::optional<LossScaler::Config> loss_scaling{};
  /// False: a step throws ConfigError, before its backward pass, if its loss uses a trainable parameter that
  /// the optimizer does not have. Mostly this is a layer that for_each_child does not name. Freeze parameters
  /// that should not be trained; if optimizers take turns, freeze those of the others. True: gradients of
  /// such parameters are accumulated until the caller uses them.
  bool allow_other_parameters = false;
};

/// The plan, and the state of the run. It borrows the optimizer and the EMA; `schedule` scales the learning
/// rate of the optimizer. Programs use it as the base of TrainStep.
template <Optimizer O, LearningRateSchedule S>
class StepPlan {
 public:
  using Backend = typename O::Backend;
  using Scalar = typename Backend::Scalar;

  /// Throws ConfigError for settings out of range.
  StepPlan(O& optimizer, StepConfig config, S schedule, Ema<Backend>* ema)
      : optimizer_(&optimizer),
        config_(config),
        schedule_(std::move(schedule)),
        ema_(ema),
        reach_(optimizer.parameters()) {
    if (config.accumulate < 1) fail<ConfigError>("TrainStep", "accumulate of 1 or more", config.accumulate);
    detail::require_not_negative("TrainStep", "max_norm", config.max_norm);
    if (config.loss_scaling) scaler_.emplace(*config.loss_scaling);
  }

  /// Number of steps of the run that are done.
  [[nodiscard]] std::uint64_t steps() const { return steps_; }
  [[nodiscard]] StepConfig const& config() const& { return config_; }
  [[nodiscard]] StepConfig config() const&& { return config_; }
  /// The borrowed optimizer.
  [[nodiscard]] O& optimizer() const { return *optimizer_; }
  /// Null if there is none.
  [[nodiscard]] Ema<Backend>* ema() const { return ema_; }
  /// Empty unless losses are scaled.
  [[nodiscard]] std::optional<LossScaler> const& loss_scaler() const& { return scaler_; }
  [[nodiscard]] std::optional<LossScaler> loss_scaler() const&& { return scaler_; }
  [[nodiscard]] std::optional<LossScaler>& loss_scaler() & { return scaler_; }
  /// From now on micro-batches are divided into pieces, of which this process computes some. The loss
  /// function is called for each of them; it takes its samples by MicroBatch::part. Its result is the mean
  /// over the samples of its piece; the losses of a step, and its gradient, are the mean over all pieces.
  /// `division` is borrowed, and has been made with the parameters of the optimizer.
  void divide(dist::DataParallel<Backend>& division) { division_ = &division; }
  /// Null if batches are not divided.
  [[nodiscard]] dist::DataParallel<Backend>* division() const { return division_; }

  // The following functions are for executors.

  /// Runs the next micro-batch and, after the last one, the update. Returns true if the step is done. The
  /// executor has
  ///   read(losses)         adds the result of the loss function to `sums`, and returns the weight of the
  ///                        micro-batch, by add_losses() or add_images();
  ///   read_piece(losses, piece)  keeps the result of the loss function for a piece of a batch, and fills the
  ///                        numbers of the piece;
  ///   read_pieces(numbers) adds the results of all pieces to `sums`, given the numbers of all;
  ///   seed(weight, shape)  the gradient of the total: a number, or a tensor of this shape;
  ///   judge(), update()    the phases above.
  template <class Executor, class F>
  bool advance(Executor& executor, F& loss_fn, Accumulation& sums) {
    static_assert(detail::is_loss_function<Backend, F>());
    if (division_ != nullptr)
      accumulate_pieces(executor, loss_fn, sums);
    else
      accumulate(executor, loss_fn, sums);
    if (sums.micro_batches < config_.accumulate) return false;
    detail::scale_gradients(parameters(), detail::last_weight(sums, config_.accumulate));
    executor.judge();
    executor.update();
    return true;
  }
  /// The statistics of the next step that are known before its losses.
  [[nodiscard]] StepStatistics begun() const {
    StepStatistics statistics;
    statistics.step = steps_ + 1;
    statistics.learning_rate = optimizer_->learning_rate() * rate_factor();
    if (scaler_) statistics.loss_scale = scaler_->scale();
    return statistics;
  }
  /// Completes the statistics from the losses and the squared norms of the gradients (empty if norms are not
  /// measured), and updates the loss scaler. Returns the factor for all gradients before the update; nothing
  /// may change if the step is `skipped`. Throws NumericError, which names the step and the parameter at
  /// fault.
  double judge(StepStatistics& statistics, Accumulation const& sums, std::span<Scalar const> squares) {
    double const weight = detail::last_weight(sums, config_.accumulate);
    statistics.loss = weight * sums.loss;
    statistics.parts = sums.parts;
    for (NamedValue& part : statistics.parts) part.value *= weight;
    statistics.images = sums.images;
    statistics.without_gradient = reach_.names_without_gradient();
    if (squares.empty()) return 1;
    double const loss_scale = statistics.loss_scale.value_or(1);
    bool const may_overflow = scaler_ && scaler_->can_shrink();
    double const norm = detail::norm_of(parameters(), squares, may_overflow, statistics.step) / loss_scale;
    statistics.skipped = !functional::finite(norm);
    if (scaler_) scaler_->update(!statistics.skipped);
    if (!statistics.skipped) statistics.gradient_norm = norm;
    return functional::gradient_factor(norm, loss_scale, config_.max_norm);
  }
  /// The losses of a batch of pieces at step `step`, from the numbers of all pieces.
  [[nodiscard]] detail::JoinedLosses joined(std::vector<std::vector<double>> const& numbers,
                                            std::vector<std::string> const& names, std::uint64_t step) const {
    return detail::joined_losses(numbers, names, step, [&](int piece) { return division_->rank_of(piece); });
  }
  /// Counts a step that is done or queued.
  void count_step() { ++steps_; }
  /// Sets gradients to zero and discards proposed buffers.
  void forget_gradients() const {
    for (auto const& [name, parameter] : parameters().parameters)
      if (parameter.trainable()) parameter.gradient().fill(0);
    for (auto const& [name, buffer] : parameters().buffers) buffer.discard();
  }

  [[nodiscard]] nn::ParameterList<Backend> const& parameters() const& { return optimizer_->parameters(); }
  [[nodiscard]] nn::ParameterList<Backend> parameters() const&& { return optimizer_->parameters(); }
  [[nodiscard]] typename Backend::Context& context() const {
    return parameters().parameters.front().parameter.value().context();
  }
  /// The factor of the learning rate in the next step.
  [[nodiscard]] double rate_factor() const { return static_cast<double>(schedule_(steps_)); }
  /// The factor of losses in the next step; 1 if losses are not scaled.
  [[nodiscard]] double loss_scale() const { return scaler_ ? scaler_->scale() : 1; }
  /// The gradient of the loss of a micro-batch, before its weight. It is rounded as it is sent to a device.
  [[nodiscard]] Scalar seed() const { return static_cast<Scalar>(loss_scale() / config_.accumulate); }
  /// Whether a step measures the norm of its gradient.
  [[nodiscard]] bool measures_norm() const { return config_.max_norm > 0 || config_.measure_norm || scaler_; }

 protected:
  void restore(std::uint64_t steps, std::vector<std::size_t> const& without_gradient, Rng rng) {
    steps_ = steps;
    reach_.restore(without_gradient);
    config_.rng = rng;
  }

 private:
  // Streams of the tape count up from the stream of the run, so those of the caller are far away.
  static constexpr std::uint32_t caller_stream = 0x80000000u;

  /// While the result lives, backends that round weights take those of the optimizer as they are now.
  [[nodiscard]] auto rounded_weights() const {
    if constexpr (backend::RoundsWeights<Backend>) {
      std::vector<TensorValues<Scalar>> weights;
      for (auto const& [name, parameter] : parameters().parameters)
        if (parameter.shape().rank() > 1)
          weights.push_back({parameter.value().data(), parameter.shape().size()});
      return Backend::round_weights(context(), weights);
    } else {
      return std::monostate{};
    }
  }
  template <class Executor, class F>
  void accumulate(Executor& executor, F& loss_fn, Accumulation& sums) {
    [[maybe_unused]] auto const rounded = rounded_weights();
    int const index = sums.micro_batches;
    Rng const rng = config_.rng.at_step(steps_ * static_cast<std::uint64_t>(config_.accumulate) +
                                        static_cast<std::uint64_t>(index));
    Tape<Backend> tape{context(), {.mode = Mode::training, .rng = rng}};
    auto const& losses =
        loss_fn(tape, MicroBatch{steps_, index, rng.with_stream(rng.stream ^ caller_stream)});
    if (!config_.allow_other_parameters) reach_.require_known(tape);
    double const weight = executor.read(losses);
    auto const& total = detail::total_of(losses);
    tape.backward(total, executor.seed(weight, total.shape()));
    if (index == 0)
      reach_.begin(tape);
    else
      reach_.note(tape);
    ++sums.micro_batches;
    sums.without_gradient = reach_.without_gradient();
  }
  /// The same for a batch that is divided.
  template <class Executor, class F>
  void accumulate_pieces(Executor& executor, F& loss_fn, Accumulation& sums) {
    [[maybe_unused]] auto const rounded = rounded_weights();
    int const index = sums.micro_batches, pieces = division_->pieces();
    auto const numbers = division_->run([&](dist::Piece<Backend>& piece) {
      // As if each piece were a micro-batch: their random numbers are different.
      std::uint64_t const micro_batch =
          steps_ * static_cast<std::uint64_t>(config_.accumulate) + static_cast<std::uint64_t>(index);
      Rng const rng = config_.rng.at_step(micro_batch * static_cast<std::uint64_t>(pieces) +
                                          static_cast<std::uint64_t>(piece.number));
      Tape<Backend> tape{
          context(),
          {.mode = Mode::training, .rng = rng, .joint = piece.joint, .gradients = piece.gradients}};
      MicroBatch const at{.step = steps_,
                          .index = index,
                          .rng = rng.with_stream(rng.stream ^ caller_stream),
                          .pieces = pieces,
                          .lane = piece.lane,
                          .lanes = division_->own_pieces().size()};
      auto const& losses = loss_fn(tape, at);
      if (!config_.allow_other_parameters) reach_.require_known(tape);
      executor.read_piece(losses, piece);
      double const weight = detail::weight_of(sums, detail::images_of(losses) * pieces);
      auto const& total = detail::total_of(losses);
      tape.backward(total, executor.seed(weight / pieces, total.shape()));
      if (index == 0 && piece.lane == 0)
        reach_.begin(tape);
      else
        reach_.note(tape);
    });
    executor.read_pieces(numbers);
    ++sums.micro_batches;
    sums.without_gradient = reach_.without_gradient();
  }

  O* optimizer_;
  StepConfig config_;
  S schedule_;
  Ema<Backend>* ema_;
  GradientReach<Backend> reach_;
  std::optional<LossScaler> scaler_;
  dist::DataParallel<Backend>* division_ = nullptr;
  std::uint64_t steps_ = 0;
};

}  // namespace diffsiam::train
