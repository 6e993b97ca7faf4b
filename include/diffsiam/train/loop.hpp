// Loop: steps of training with callbacks, until enough are done, a callback asks to stop, or a flag does.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <diffsiam/core/error.hpp>
#include <diffsiam/train/step.hpp>

namespace diffsiam::train {

enum class Signal { go_on, stop };

/// Loop loop{{.steps = 1000, .stop = &stop}};
/// loop.every(100, [&](StepStatistics const& s) { log(s); });
/// loop.run(step, loss_fn);
class Loop {
 public:
  struct Config {
    std::uint64_t steps = 0;  ///< of the whole run, those before a resume included
    /// Set by whoever wants the run to end, a signal handler of the program perhaps; the library installs
    /// none.
    std::atomic<bool> const* stop = nullptr;
  };

  explicit Loop(Config config) : config_(config) {}

  /// f(StepStatistics const&) after every step; may return a Signal.
  template <class F>
  Loop& on_step(F f) {
    return every(1, std::move(f));
  }
  /// The same after every n-th step of the run. Throws ConfigError for n = 0.
  template <class F>
  Loop& every(std::uint64_t n, F f) {
    if (n == 0) fail<ConfigError>("Loop::every", "a period of 1 step or more", "0");
    callbacks_.push_back({n, wrapped(std::move(f))});
    return *this;
  }
  /// f(StepStatistics const&) once, with the last step, unless the run is interrupted.
  template <class F>
  Loop& at_end(F f) {
    at_end_.push_back(wrapped(std::move(f)));
    return *this;
  }
  /// f() when the flag stops the run, perhaps amid an accumulation: it saves what there is, and says how to
  /// resume.
  Loop& on_interrupt(std::function<std::string()> f) {
    on_interrupt_ = std::move(f);
    return *this;
  }

  /// Runs `step` (a TrainStep) until it has done the steps of the run. Throws Interrupted when the flag is
  /// set, once on_interrupt has saved, and whatever the step throws. Returns the last statistics; empty ones
  /// when nothing was left to do.
  template <class Step, class F>
  StepStatistics run(Step& step, F&& loss_fn) const {
    StepStatistics last;
    while (step.steps() < config_.steps) {
      if (config_.stop != nullptr && config_.stop->load()) interrupt(step);
      auto statistics = step.micro_batch(loss_fn);
      if (!statistics) continue;
      last = *std::move(statistics);
      bool stop = false;
      for (auto const& [period, call] : callbacks_)
        if (last.step % period == 0) stop = call(last) == Signal::stop || stop;
      if (stop) break;
    }
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
  template <class Step>
  [[noreturn]] void interrupt(Step const& step) const {
    std::string message = "train: stopped on request after step " + std::to_string(step.steps()) + " of " +
                          std::to_string(config_.steps);
    if (step.pending().micro_batches > 0)
      message += " and " + std::to_string(step.pending().micro_batches) + " of " +
                 std::to_string(step.config().accumulate) + " micro-batches";
    throw Interrupted(message + "; " + (on_interrupt_ ? on_interrupt_() : "nothing was saved"));
  }

  struct Periodic {
    std::uint64_t period;
    Callback call;
  };
  Config config_;
  std::vector<Periodic> callbacks_;
  std::vector<Callback> at_end_;
  std::function<std::string()> on_interrupt_;
};

}  // namespace diffsiam::train
