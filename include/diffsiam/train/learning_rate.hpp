// Schedules of the learning rate. At step n they give a factor for the learning rate of the optimizer:
//   ConstantRate  1
//   Warmup        (n + 1) / steps, then another schedule from its beginning
//   Cosine        floor + (1 - floor) (1 + cos(pi n / steps)) / 2, then floor (Loshchilov and Hutter, 2017)
#pragma once

#include <algorithm>
#include <cmath>
#include <concepts>
#include <cstdint>

#include <diffsiam/core/error.hpp>
#include <diffsiam/train/elements.hpp>

namespace diffsiam::train {

/// Satisfied if and only if S maps a step 0, 1, ... to a factor of the learning rate.
/// Models: ConstantRate, Warmup, Cosine, and any such lambda.
template <class S>
concept LearningRateSchedule = std::copy_constructible<S> && requires(S const& schedule, std::uint64_t step) {
  { schedule(step) } -> std::convertible_to<double>;
};

/// Always 1: the learning rate of the optimizer itself.
struct ConstantRate {
  [[nodiscard]] double operator()(std::uint64_t) const { return 1; }
};

/// Falls from 1 to `floor` in `steps` steps and then stays there.
class Cosine {
 public:
  struct Config {
    std::uint64_t steps;  ///< until it has fallen to `floor`
    double floor = 0.1;   ///< in [0, 1]
  };
  /// Throws ConfigError for a floor outside [0, 1].
  explicit Cosine(Config config) : config_(config) {
    if (!(config.floor >= 0 && config.floor <= 1))
      fail<ConfigError>("Cosine", "floor in [0, 1]", config.floor);
  }
  [[nodiscard]] double operator()(std::uint64_t step) const {
    if (step >= config_.steps) return config_.floor;
    constexpr double pi = 3.14159265358979323846;
    double const done = static_cast<double>(step) / static_cast<double>(config_.steps);
    return config_.floor + (1 - config_.floor) * (1 + std::cos(pi * done)) / 2;
  }

 private:
  Config config_;
};

/// A linear rise over `steps` steps, then `after`, which counts its steps from 0:
/// Warmup{1000, Cosine{{.steps = 50000}}}. The first step already has a rate above 0.
template <LearningRateSchedule After = ConstantRate>
class Warmup {
 public:
  explicit Warmup(std::uint64_t steps, After after = {}) : steps_(steps), after_(after) {}
  [[nodiscard]] double operator()(std::uint64_t step) const {
    if (step >= steps_) return after_(step - steps_);
    return static_cast<double>(step + 1) / static_cast<double>(steps_) * after_(0);
  }

 private:
  std::uint64_t steps_;
  After after_;
};

static_assert(LearningRateSchedule<ConstantRate> && LearningRateSchedule<Cosine> &&
              LearningRateSchedule<Warmup<Cosine>>);

}  // namespace diffsiam::train
