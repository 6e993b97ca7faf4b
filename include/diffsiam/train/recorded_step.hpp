// RecordedStep: a TrainStep whose work is recorded once and replayed, so that a device goes from step to step
// without waiting for the host: no launch one by one, no loss to be read before the weights move. What
// changes from step to step lies in memory of the device: how far random numbers have gone, coefficients of
// the optimizer, the loss scale, the batch.
#pragma once

#include <array>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <diffsiam/backend/recording.hpp>
#include <diffsiam/concepts/recording.hpp>
#include <diffsiam/train/one_launch.hpp>
#include <diffsiam/train/step.hpp>

namespace diffsiam::train {

/// Step is a TrainStep, borrowed. The first steps are ordinary ones: they plan, and find their memory. Then
/// the loss function is called once more, to be recorded, and not again: batches come through a Feed, draws
/// from MicroBatch::rng or the tape, and MicroBatch::step and the numbers of images stay what they were.
///
/// RecordedStep recorded{step};
/// for (...) { images.put(batch); if (auto told = recorded(loss_fn)) log(*told); }
/// log(*recorded.finish());
///
/// Weights, averages and losses are those of the ordinary step. Tensors that the step reads must outlive it;
/// gradients and states must stay where they are.
template <class Step>
class RecordedStep {
 public:
  using Backend = typename Step::Backend;
  static_assert(backend::Recordable<Backend>, "This backend records nothing: take the TrainStep itself.");
  struct Config {
    int warm_up = 3;  ///< ordinary steps before the recording, 1 or more
  };

  explicit RecordedStep(Step& step) : RecordedStep(step, Config{}) {}
  /// Throws ConfigError without warm-up.
  RecordedStep(Step& step, Config config) : step_(&step), config_(config), control_(context()) {
    if (config.warm_up < 1) fail<ConfigError>("RecordedStep", "warm_up of 1 step or more", config.warm_up);
  }
  RecordedStep(RecordedStep const&) = delete;
  RecordedStep& operator=(RecordedStep const&) = delete;

  /// The next step. Tells of the last one that is known to be done: while warming up of this one, later of
  /// the one before (none at the first replay). Throws Error where the loss function asks for values while
  /// it is recorded, or uploads other ones than the step before; NumericError, one step late, when a loss or
  /// the gradient was not finite: that step has moved nothing, but the one after it may have.
  template <class F>
  std::optional<StepStatistics> operator()(F&& loss_fn) {
    if (step_->ema_ != nullptr) step_->ema_->require_outside("update");
    if (!recording_) {
      if (warmed_up_ < config_.warm_up) return warm_up(loss_fn);
      record(loss_fn);
    }
    // The next scale depends on what became of the last step.
    bool const waits = step_->scaler_.has_value();
    std::optional<StepStatistics> last;
    if (waits) last = finish();
    replay();
    return waits ? last : tell(turn_ ^ 1U);
  }

  /// Waits for the last step and tells of it; nothing if that was done. Before evaluations and checkpoints.
  std::optional<StepStatistics> finish() { return tell(turn_); }

  [[nodiscard]] std::uint64_t steps() const { return step_->steps(); }
  /// Whether steps are replayed by now.
  [[nodiscard]] bool recorded() const { return recording_.has_value(); }
  /// Memory that the recording has to itself; 0 without one.
  [[nodiscard]] std::size_t reserved_bytes() const { return recording_ ? recording_->reserved_bytes() : 0; }

 private:
  using T = typename Backend::Scalar;
  using Clock = std::chrono::steady_clock;
  using Context = typename Backend::Context;
  using HostSlot = typename Backend::HostSlot;
  using Launch =
      decltype(in_one_launch(std::declval<Step const&>().optimizer(), std::declval<Ema<Backend>*>()));
  using Recording = decltype(std::declval<Context&>().record(nullptr, std::declval<FunctionRef<void()>>()));

  /// What the host tells the device before each replay.
  struct Control {
    std::uint64_t rng_offset;  ///< micro-batches since the recording
    double scale;              ///< of the loss
    T seed;                    ///< the gradient of a micro-batch's loss
  };
  /// A replay whose losses are on their way.
  struct Begun {
    std::uint64_t step;
    double learning_rate;
    std::optional<double> loss_scale;
  };

  [[nodiscard]] Context& context() const { return list().parameters.front().parameter.value().context(); }
  [[nodiscard]] nn::ParameterList<Backend> const& list() const { return step_->optimizer().parameters(); }

  /// Ends with its scope, whatever a step throws.
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

  // Recording
  // ----------------------------------------------------------------------------------------------------------
  template <class F>
  void record(F& loss_fn) {
    Ema<Backend>* const ema = step_->ema_;
    if (ema != nullptr) ema->begin_update();
    launch_.emplace(in_one_launch(step_->optimizer(), ema));
    if (ema != nullptr && !ema->all_claimed())
      fail<ConfigError>("RecordedStep", "averages of the optimizer's parameters", "averages of others too");
    verdict_ = context().allocate(sizeof(Verdict<T>));
    try {
      Recording recording = context().record(&control_.data()->rng_offset, [&] { queue_step(loss_fn); });
      if (context().recording_state().uploads() != uploads_)
        fail<Error>("RecordedStep", "the same values uploaded at every step",
                    "others while it is recorded than in the step before",
                    "what changes from step to step comes through a Feed");
      std::size_t const bytes = static_cast<std::size_t>(report_.size()) * sizeof(T);
      for (auto& slot : slots_) slot = std::make_unique<HostSlot>(context(), bytes);
      recording_.emplace(std::move(recording));
    } catch (...) {
      step_->discard();
      throw;
    }
    recorded_at_ = step_->steps_;
  }

  /// The whole step, as the device will do it.
  template <class F>
  void queue_step(F& loss_fn) {
    std::vector<Tensor<Backend>> losses;
    auto const seed = Tensor<Backend>::borrowed(context(), {}, &control_.data()->seed);
    names_.clear();
    weights_.clear();
    recorded_ = {};
    for (int index = 0; index < step_->config_.accumulate; ++index) {
      step_->on_tape(loss_fn, index, [&](Tape<Backend>& tape, auto const& answer) {
        if constexpr (requires { answer.parts; })
          for (auto const& part : answer.parts) {
            if (index == 0) names_.emplace_back(part.name);
            losses.push_back(on_device(part.value));
          }
        weights_.push_back(detail::add_images(recorded_, detail::images_of(answer)));
        auto const& total = detail::total_of(answer);
        losses.push_back(total.value());
        tape.backward(total, weighted(seed, weights_.back()).reshaped(total.shape()));
      });
      ++recorded_.micro_batches;
    }
    detail::scale_gradients(list(), last_weight());
    without_gradient_ = step_->reach_.names_without_gradient();
    move_weights(losses);
  }
  /// The same memory for a weight of 1.
  [[nodiscard]] Tensor<Backend> weighted(Tensor<Backend> const& seed, double weight) const {
    if (weight == 1) return seed;
    auto const result = seed.clone();
    detail::for_each_element(functional::ScaleInPlace<T>{static_cast<T>(weight)}, result);
    return result;
  }
  [[nodiscard]] double last_weight() const {
    return detail::last_weight(recorded_, step_->config_.accumulate);
  }
  void move_weights(std::vector<Tensor<Backend>> const& losses) {
    StepConfig const& config = step_->config_;
    bool const measures = config.max_norm > 0 || config.measure_norm || step_->scaler_;
    auto const loss_count = static_cast<Index>(losses.size());
    squares_ = measures ? static_cast<Index>(list().parameters.size()) : 0;
    report_ = Tensor<Backend>{context(), {loss_count + squares_}};
    for (Index i = 0; i < loss_count; ++i) {
      auto const& loss = losses[static_cast<std::size_t>(i)];
      report_.samples(i, i + 1).reshaped(loss.shape()).assign(loss);
    }
    auto const squares = report_.samples(loss_count, loss_count + squares_);
    if (measures) detail::square_norms(list(), squares);
    auto* const verdict = static_cast<Verdict<T>*>(verdict_.get());
    Backend::judge(
        context(),
        {report_.data(), loss_count, squares.data(), squares_, config.max_norm, &control_.data()->scale},
        verdict);
    launch_->launch(verdict);
    for (auto const& [name, buffer] : list().buffers) {
      if (!buffer.proposed()) continue;
      detail::for_each_element(functional::JudgedCommit<T>{verdict}, buffer.value(), buffer.proposal());
      buffer.discard();
    }
    if (step_->ema_ != nullptr) step_->ema_->copy_buffers();
  }
  template <class V>
  static Tensor<Backend> on_device(V const& value) {
    static_assert(!std::is_arithmetic_v<V>,
                  "Parts of a recorded loss are tensors: a number of the host would stay as it is.");
    if constexpr (std::is_same_v<V, Taped<Backend>>)
      return value.value();
    else
      return value;
  }

  // Replay
  // ----------------------------------------------------------------------------------------------------------
  void replay() {
    StepConfig const& config = step_->config_;
    auto const& scaler = step_->scaler_;
    double const scale = scaler ? scaler->scale() : 1;
    control_.send({(step_->steps_ - recorded_at_) * static_cast<std::uint64_t>(config.accumulate), scale,
                   static_cast<T>(scale / config.accumulate)});
    double const factor = step_->factor();
    launch_->send(factor);
    turn_ ^= 1U;
    begun_[turn_] = Begun{step_->steps_, step_->optimizer().learning_rate() * factor,
                          scaler ? std::optional<double>{scale} : std::nullopt};
    recording_->replay();
    slots_[turn_]->fetch(report_.data());
    ++step_->steps_;
    count(1);
  }
  /// Steps of optimizer and averages; one that turns out unsound is taken back.
  void count(int more) {
    launch_->count(more);
    if (Ema<Backend>* const ema = step_->ema_)
      ema->set_updates(ema->updates() + static_cast<std::uint64_t>(more));
  }

  /// Of a replay, once it is done; nothing if there is none.
  std::optional<StepStatistics> tell(unsigned turn) {
    if (!begun_[turn]) return std::nullopt;
    Begun const begun = *std::exchange(begun_[turn], std::nullopt);
    auto const* values = static_cast<T const*>(slots_[turn]->wait());
    try {
      PendingStep pending;
      for (; pending.micro_batches < step_->config_.accumulate; ++pending.micro_batches)
        values = add_micro_batch(pending, begun.step, values);
      detail::apply_last_weight(pending, last_weight());
      StepStatistics statistics{.step = begun.step + 1,
                                .loss = pending.loss,
                                .parts = std::move(pending.parts),
                                .gradient_norm = {},
                                .learning_rate = begun.learning_rate,
                                .images = recorded_.images,
                                .loss_scale = begun.loss_scale,
                                .without_gradient = without_gradient_};
      judge(statistics, values);
      if (statistics.skipped) count(-1);
      auto const now = Clock::now();
      statistics.seconds = std::chrono::duration<double>(now - std::exchange(told_at_, now)).count();
      return statistics;
    } catch (NumericError const&) {
      count(-1);
      throw;
    }
  }
  T const* add_micro_batch(PendingStep& pending, std::uint64_t step, T const* values) const {
    int const accumulate = step_->config_.accumulate;
    double const share = 1.0 / accumulate * weights_[static_cast<std::size_t>(pending.micro_batches)];
    auto const finite = [&](std::string_view part, double value) {
      return detail::finite_loss(part, value, step, pending.micro_batches, accumulate);
    };
    for (std::size_t i = 0; i < names_.size(); ++i)
      detail::add_part(pending, i, names_[i], finite(names_[i], static_cast<double>(*values++)), share);
    pending.loss += share * finite("total", static_cast<double>(*values++));
    return values;
  }
  /// What the device judged before it moved the weights, by the same sums.
  void judge(StepStatistics& statistics, T const* squares) {
    if (squares_ == 0) return;
    auto& scaler = step_->scaler_;
    double total = 0;
    try {
      for (Index i = 0; i < squares_; ++i) {
        auto const square = static_cast<double>(squares[i]);
        if (!scaler || !scaler->can_shrink()) detail::require_finite(list(), i, square);
        total += square;
      }
    } catch (NumericError const& error) {
      throw NumericError("train, step " + std::to_string(statistics.step) + ": " + error.what());
    }
    double const norm = std::sqrt(total) / statistics.loss_scale.value_or(1);
    statistics.skipped = !std::isfinite(norm);
    if (scaler) scaler->update(!statistics.skipped);
    if (!statistics.skipped) statistics.gradient_norm = norm;
  }

  Step* step_;
  Config config_;
  detail::Sent<Backend, Control> control_;
  std::optional<Launch> launch_;
  std::shared_ptr<void> verdict_;
  std::optional<Recording> recording_;
  Tensor<Backend> report_;  ///< losses of each micro-batch, then squared norms
  Index squares_ = 0;
  std::array<std::unique_ptr<HostSlot>, 2> slots_;  ///< where reports arrive, by turns
  std::array<std::optional<Begun>, 2> begun_;
  unsigned turn_ = 0;
  std::vector<std::string> names_;  ///< of the parts
  std::vector<double> weights_;     ///< of the micro-batches
  PendingStep recorded_;            ///< their images
  std::vector<std::string> without_gradient_;
  std::uint64_t recorded_at_ = 0, uploads_ = 0;
  int warmed_up_ = 0;
  Clock::time_point told_at_{};
};

}  // namespace diffsiam::train
