// Loop: runs training steps with callbacks until all steps are done, a callback asks to stop, or a flag is
// set. A step is a TrainStep or a RecordedStep; the latter reports a step only when the next one has begun.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <diffsiam/core/error.hpp>
#include <diffsiam/train/save_every.hpp>
#include <diffsiam/train/step.hpp>

namespace diffsiam::train {

/// What a callback may return: whether the run goes on.
enum class Signal { go_on, stop };

/// Loop loop{{.steps = 1000, .stop = &stop}};
/// loop.every(100, [&](StepStatistics const& s) { log(s); });
/// loop.run(step, loss_fn);
class Loop {
 public:
  struct Config {
    std::uint64_t steps = 0;  ///< of the whole run, including those before a resume
    /// Set this flag to interrupt the run, for example in a signal handler of the program. The library
    /// installs no signal handlers.
    std::atomic<bool> const* stop = nullptr;
  };

  /// Borrows `config.stop`.
  explicit Loop(Config config) : config_(config) {}

  /// f() is called before every micro-batch of a TrainStep or every RecordedStep. It puts the next batch into
  /// its Feed.
  Loop& before_step(std::function<void()> f) {
    before_step_.push_back(std::move(f));
    return *this;
  }
  /// f(StepStatistics const&) is called after every step and may return a Signal. A recorded step is reported
  /// late, so the weights may already be those of the next step.
  template <class F>
  Loop& on_step(F f) {
    callbacks_.push_back({1, false, wrapped(std::move(f))});
    return *this;
  }
  /// The same after every n-th step of the run, always with the weights of that step. Throws ConfigError for
  /// n = 0.
  template <class F>
  Loop& every(std::uint64_t n, F f) {
    if (n == 0) fail<ConfigError>("Loop::every", "a period of 1 step or more", "0");
    callbacks_.push_back({n, true, wrapped(std::move(f))});
    return *this;
  }
  /// f() is called when the run should be saved, between two micro-batches (a step may have begun, as
  /// Checkpoint allows), and after the last step, before at_end: loop.save({.steps = 100}, [&] { ... }).
  /// Throws ConfigError for settings out of range.
  Loop& save(SaveEvery when, std::function<void()> f) {
    (void)SaveTimer{when};
    save_every_ = std::move(when);
    save_ = std::move(f);
    return *this;
  }
  /// f(StepStatistics const&) is called once, with the last step, unless the run is interrupted.
  template <class F>
  Loop& at_end(F f) {
    at_end_.push_back(wrapped(std::move(f)));
    return *this;
  }
  /// f() is called when the flag interrupts the run; a step may have begun. It should save the run and return
  /// a sentence that says how to resume it.
  Loop& on_interrupt(std::function<std::string()> f) {
    on_interrupt_ = std::move(f);
    return *this;
  }

  /// Runs `step` (a TrainStep or a RecordedStep) until the steps of the run are done. Returns the last
  /// statistics, or empty ones if nothing was left to do. If the flag is set, it calls on_interrupt and
  /// throws Interrupted. Also throws what the step throws.
  template <class Step, class F>
  StepStatistics run(Step& step, F&& loss_fn) const {
    StepStatistics last;
    SaveTimer timer{save_every_, step.steps()};
    bool stop = false;
    auto const tell = [&](std::optional<StepStatistics> statistics) {
      if (!statistics) return;
      last = *std::move(statistics);
      for (auto const& [period, waits, call] : callbacks_)
        if (last.step % period == 0) stop = call(last) == Signal::stop || stop;
    };
    while (!stop && step.steps() < config_.steps) {
      if (config_.stop != nullptr && config_.stop->load()) {
        tell(settled(step));
        interrupt(step);
      }
      for (auto const& prepare : before_step_) prepare();
      tell(taken(step, loss_fn));
      bool const saves = save_ && !stop && step.steps() < config_.steps && timer.due(step.steps());
      if (stop || saves || is_awaited(step.steps())) tell(settled(step));
      if (saves) timer.save(step.steps(), save_);
    }
    tell(settled(step));
    if (save_) save_();
    for (auto const& call : at_end_) call(last);
    return last;
  }

 private:
  using Callback = std::function<Signal(StepStatistics const&)>;

  template <class F>
  static Callback wrapped(F f) {
    if constexpr (std::is_same_v<std::invoke_result_t<F&, StepStatistics const&>, Signal>) {
      return f;
    } else {
      return [f = std::move(f)](StepStatistics const& statistics) mutable {
        f(statistics);
        return Signal::go_on;
      };
    }
  }
  /// Runs one micro-batch or one recorded step.
  template <class Step, class F>
  static std::optional<StepStatistics> taken(Step& step, F& loss_fn) {
    if constexpr (requires { step.finish(); })
      return step(loss_fn);
    else
      return step.micro_batch(loss_fn);
  }
  /// The statistics of a recorded step that are not reported yet.
  template <class Step>
  static std::optional<StepStatistics> settled(Step& step) {
    if constexpr (requires { step.finish(); })
      return step.finish();
    else
      return std::nullopt;
  }
  /// Whether a callback needs the weights of this step and not of a later one.
  [[nodiscard]] bool is_awaited(std::uint64_t step) const {
    return std::any_of(callbacks_.begin(), callbacks_.end(), [&](Periodic const& callback) {
      return callback.waits && step % callback.period == 0;
    });
  }
  template <class Step>
  [[noreturn]] void interrupt(Step const& step) const {
    std::string message = "train: stopped on request after step " + std::to_string(step.steps()) + " of " +
                          std::to_string(config_.steps);
    if constexpr (requires { step.pending(); })
      if (step.pending().micro_batches > 0)
        message += " and " + std::to_string(step.pending().micro_batches) + " of " +
                   std::to_string(step.config().accumulate) + " micro-batches";
    throw Interrupted(message + "; " + (on_interrupt_ ? on_interrupt_() : "nothing was saved"));
  }

  struct Periodic {
    std::uint64_t period;
    bool waits;  ///< whether the callback needs the weights of its step
    Callback call;
  };
  Config config_;
  std::vector<std::function<void()>> before_step_;
  std::vector<Periodic> callbacks_;
  std::vector<Callback> at_end_;
  std::function<std::string()> on_interrupt_;
  SaveEvery save_every_;
  std::function<void()> save_;
};

}  // namespace diffsiam::train
