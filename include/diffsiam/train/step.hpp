// TrainStep: one training step that runs at once, in micro-batches whose gradients add up to that of the
// whole batch. The loss is the mean of their losses, weighted by images if the loss function counts them.
// Then follow the check, unscaling and clipping of gradients, the optimizer and the EMA (see StepPlan).
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <diffsiam/train/step_plan.hpp>

namespace diffsiam::train {

/// Borrows the optimizer and the EMA. `schedule` scales the learning rate of the optimizer.
template <Optimizer O, LearningRateSchedule S = ConstantRate>
class TrainStep : public StepPlan<O, S> {
 public:
  /// What it shares with recorded steps.
  using Plan = StepPlan<O, S>;
  using typename Plan::Backend;

  /// Throws ConfigError for settings out of range.
  explicit TrainStep(O& optimizer, StepConfig config = {}, S schedule = {}, Ema<Backend>* ema = nullptr)
      : Plan(optimizer, config, std::move(schedule), ema) {}

  /// Runs a whole step, or the rest of one that has begun. loss_fn(Tape&, MicroBatch const&) returns a taped
  /// scalar or Losses (anything with `total`, and optionally `parts` and `images`). Throws NumericError if a
  /// loss or the gradient is not finite, ConfigError for trainable parameters that the optimizer does not
  /// have, and what loss_fn throws. Then weights, optimizer, EMA and buffers are as before the step, and
  /// gradients are zero.
  template <class F>
  StepStatistics operator()(F&& loss_fn) {
    static_assert(detail::is_loss_function<Backend, std::remove_reference_t<F>>());
    while (true)
      if (auto statistics = micro_batch(loss_fn)) return *std::move(statistics);
  }

  /// Runs one micro-batch. Returns statistics if it completed the step. Throws as above.
  template <class F>
  std::optional<StepStatistics> micro_batch(F&& loss_fn) {
    if (this->ema() != nullptr) this->ema()->require_outside("update");
    auto const start = Clock::now();
    try {
      AtOnce executor{*this, pending_, squares_};
      bool const done = this->advance(executor, loss_fn, pending_);
      pending_.seconds += std::chrono::duration<double>(Clock::now() - start).count();
      if (!done) return std::nullopt;
      executor.statistics.seconds = pending_.seconds;
      pending_ = {};
      this->count_step();
      return std::move(executor.statistics);
    } catch (...) {
      discard();
      throw;
    }
  }

  /// Forgets a step that has begun: sets gradients to zero and discards proposed buffers.
  void discard() {
    this->forget_gradients();
    pending_ = {};
  }

  /// The step that has begun; without micro-batches between steps.
  [[nodiscard]] Accumulation const& pending() const& { return pending_; }
  [[nodiscard]] Accumulation pending() const&& { return pending_; }
  /// Restores the state of a checkpoint. The caller restores gradients and proposed buffers of a step that
  /// has begun.
  void restore(std::uint64_t steps, Accumulation pending, Rng rng) {
    Plan::restore(steps, pending.without_gradient, rng);
    pending_ = std::move(pending);
  }

 private:
  using Clock = std::chrono::steady_clock;
  using typename Plan::Scalar;

  /// The executor of the plan.
  struct AtOnce {
    Plan& plan;
    Accumulation& sums;
    std::vector<Scalar>& squares;
    StepStatistics statistics{};
    std::vector<std::string> names{};  ///< of the parts, in pieces of a batch

    template <class L>
    double read(L const& losses) {
      return detail::add_losses(sums, losses, plan.steps() + 1, plan.config().accumulate);
    }
    template <class L>
    void read_piece(L const& losses, dist::Piece<Backend>& piece) {
      names = detail::take_numbers(losses, piece.numbers);
    }
    void read_pieces(std::vector<std::vector<double>> const& numbers) {
      (void)read(plan.joined(numbers, names, plan.steps() + 1));
    }
    [[nodiscard]] double seed(double weight, Shape const&) const {
      return static_cast<double>(plan.seed() * static_cast<Scalar>(weight));
    }
    void judge() {
      if (plan.measures_norm()) detail::measure_squares(plan.parameters(), squares);
      statistics = plan.begun();
      double const factor = plan.judge(statistics, sums, squares);
      if (statistics.skipped)
        plan.forget_gradients();
      else
        detail::scale_gradients(plan.parameters(), factor);
    }
    void update() {
      if (statistics.skipped) return;
      if (plan.ema() == nullptr) return plan.optimizer().step(plan.rate_factor());
      plan.ema()->begin_update();
      detail::step_with(plan.optimizer(), plan.rate_factor(), *plan.ema());
      plan.ema()->end_update();
    }
  };

  Accumulation pending_;
  std::vector<Scalar> squares_;  ///< squared norms of the gradients, kept so that steps allocate nothing
};

}  // namespace diffsiam::train
