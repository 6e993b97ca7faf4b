// What a network predicts, and how one prediction is converted to another. With a = sqrt(abar) and s = sqrt(1
// - abar):
//   x_t = a x_0 + s eps,  v = a eps - s x_0
// v: Salimans and Ho, "Progressive distillation", ICLR 2022, arXiv 2202.00512.
#pragma once

#include <string_view>

#include <diffsiam/core/error.hpp>
#include <diffsiam/core/text.hpp>
#include <diffsiam/diffusion/noise_schedule.hpp>
#include <diffsiam/functional/prediction_target.hpp>

namespace diffsiam::diffusion {

using functional::PredictionTarget;
using functional::to_string;

/// The target of that name, as to_string gives it. Throws ConfigError for any other.
[[nodiscard]] inline PredictionTarget prediction_target(std::string_view name) {
  for (PredictionTarget const target : {PredictionTarget::eps, PredictionTarget::x_0, PredictionTarget::v})
    if (to_string(target) == name) return target;
  fail<ConfigError>("prediction_target", "eps, x_0 or v", {"'", name, "'"});
}

/// result = x_t coefficient * x_t + prediction coefficient * prediction.
struct LinearPair {
  double x_t = 0;
  double prediction = 1;
  [[nodiscard]] constexpr double operator()(double x_t_value, double prediction_value) const {
    return x_t * x_t_value + prediction * prediction_value;
  }
  [[nodiscard]] constexpr bool operator==(LinearPair const&) const = default;
};

/// target = x_0 coefficient * x_0 + noise coefficient * eps: what the network is trained to predict.
struct TargetPair {
  double x_0 = 0;
  double noise = 1;
  [[nodiscard]] constexpr double operator()(double x_0_value, double noise_value) const {
    return x_0 * x_0_value + noise * noise_value;
  }
  [[nodiscard]] constexpr bool operator==(TargetPair const&) const = default;
};

namespace detail {

struct SignalAndNoise {
  double signal;  // a = sqrt(abar)
  double noise;   // s = sqrt(1 - abar)
};

inline SignalAndNoise signal_and_noise(NoiseSchedule const& schedule, int t, std::string_view operation) {
  schedule.require_timestep(t, operation);
  auto const i = static_cast<std::size_t>(t);
  return {schedule.sqrt_alphas_cumprod()[i], schedule.sqrt_one_minus_alphas_cumprod()[i]};
}

/// The same for a conversion that divides by sqrt(abar).
inline SignalAndNoise with_signal(NoiseSchedule const& schedule, int t, std::string_view operation) {
  auto const pair = signal_and_noise(schedule, t, operation);
  if (pair.signal == 0) {
    fail<ConfigError>(
        operation, "an SNR above 0", {"abar = 0 at t = ", t},
        "x_t holds nothing of x_0 there, so eps says nothing: use v prediction or x_0 prediction");
  }
  return pair;
}

}  // namespace detail

// Each function takes 0 <= t < T (RangeError). Those that start from eps divide by sqrt(abar) and throw
// ConfigError where it is 0.

/// x_0 = (x_t - s eps)/a.
[[nodiscard]] inline LinearPair x_0_from_eps(NoiseSchedule const& schedule, int t) {
  auto const [a, s] = detail::with_signal(schedule, t, "x_0_from_eps");
  return {1 / a, -s / a};
}

/// eps = (x_t - a x_0)/s.
[[nodiscard]] inline LinearPair eps_from_x_0(NoiseSchedule const& schedule, int t) {
  auto const [a, s] = detail::signal_and_noise(schedule, t, "eps_from_x_0");
  return {1 / s, -a / s};
}

/// v = (eps - s x_t)/a.
[[nodiscard]] inline LinearPair v_from_eps(NoiseSchedule const& schedule, int t) {
  auto const [a, s] = detail::with_signal(schedule, t, "v_from_eps");
  return {-s / a, 1 / a};
}

/// v = (a x_t - x_0)/s.
[[nodiscard]] inline LinearPair v_from_x_0(NoiseSchedule const& schedule, int t) {
  auto const [a, s] = detail::signal_and_noise(schedule, t, "v_from_x_0");
  return {a / s, -1 / s};
}

/// x_0 = a x_t - s v.
[[nodiscard]] inline LinearPair x_0_from_v(NoiseSchedule const& schedule, int t) {
  auto const [a, s] = detail::signal_and_noise(schedule, t, "x_0_from_v");
  return {a, -s};
}

/// eps = s x_t + a v.
[[nodiscard]] inline LinearPair eps_from_v(NoiseSchedule const& schedule, int t) {
  auto const [a, s] = detail::signal_and_noise(schedule, t, "eps_from_v");
  return {s, a};
}

/// From any prediction to any other; {0, 1} from a prediction to itself.
[[nodiscard]] inline LinearPair convert_prediction(NoiseSchedule const& schedule, int t,
                                                   PredictionTarget from, PredictionTarget to) {
  using enum PredictionTarget;
  schedule.require_timestep(t, "convert_prediction");
  if (from == to) return {0, 1};
  if (from == eps) return to == x_0 ? x_0_from_eps(schedule, t) : v_from_eps(schedule, t);
  if (from == x_0) return to == eps ? eps_from_x_0(schedule, t) : v_from_x_0(schedule, t);
  return to == eps ? eps_from_v(schedule, t) : x_0_from_v(schedule, t);
}

/// What a network is trained to predict, in terms of x_0 and eps: eps -> {0, 1}, x_0 -> {1, 0}, v -> {-s, a}.
/// With eps where the SNR is 0 nothing about x_0 can be learned, so this is a ConfigError.
[[nodiscard]] inline TargetPair training_target(NoiseSchedule const& schedule, int t,
                                                PredictionTarget target) {
  if (target == PredictionTarget::eps) {
    static_cast<void>(detail::with_signal(schedule, t, "training_target"));
    return {0, 1};
  }
  auto const [a, s] = detail::signal_and_noise(schedule, t, "training_target");
  if (target == PredictionTarget::x_0) return {1, 0};
  return {-s, a};
}

}  // namespace diffsiam::diffusion
