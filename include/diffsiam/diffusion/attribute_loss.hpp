// When an attribute is lost: the probability that the ideal denoiser takes x_0 for y_0, at L2 distance d,
// after noise.
//   Err(d, t) = erfc(sqrt(abar) d/(2 sqrt2 sqrt(1 - abar)))/2 = Phi(-d sqrt(SNR)/2)
// An attribute is lost with degree tau at the first t where Err >= tau: sqrt(SNR) <= 2 PhiInverse(1 - tau)/d.
// DiTi, ICLR 2024, arXiv 2401.11430.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <numbers>
#include <optional>
#include <span>
#include <string_view>

#include <diffsiam/core/error.hpp>
#include <diffsiam/diffusion/noise_schedule.hpp>

namespace diffsiam::diffusion {

/// Phi(x), the standard normal distribution function.
[[nodiscard]] inline double phi(double x) {
  return std::erfc(-x / std::numbers::sqrt2) / 2;
}

/// The x with Phi(x) = p, for 0 < p < 1 (RangeError otherwise). Accurate to 1e-15 max(1, |x|) for 1e-300 <= p
/// < 1; below that, where the density underflows double, to 5e-4. It starts with Abramowitz and Stegun
/// 26.2.23, accurate to 4.5e-4; each of Halley's steps on erfc then triples the number of digits.
[[nodiscard]] inline double phi_inverse(double p) {
  if (!(p > 0 && p < 1)) fail<RangeError>("phi_inverse", "a probability inside (0, 1)", p);
  // 1 - p is exact for p >= 1/2, and erfc is accurate in the lower tail.
  bool const upper = p > 0.5;
  double const tail = upper ? 1 - p : p;
  double const u = std::sqrt(-2 * std::log(tail));
  double x =
      (2.515517 + u * (0.802853 + u * 0.010328)) / (1 + u * (1.432788 + u * (0.189269 + u * 0.001308))) - u;
  if (tail >= 1e-300) {
    for (int step = 0; step < 3; ++step) {
      double const density = std::exp(-x * x / 2) / std::sqrt(2 * std::numbers::pi);
      double const newton = (phi(x) - tail) / density;
      x -= newton / (1 + x * newton / 2);
    }
  }
  return upper ? -x : x;
}

namespace detail {

inline void require_distance(std::string_view operation, double distance) {
  if (!(distance >= 0 && std::isfinite(distance))) {
    fail<RangeError>(operation, "a finite distance >= 0", distance);
  }
}

inline void require_degree(std::string_view operation, double tau) {
  if (!(tau > 0 && tau < 0.5)) {
    fail<RangeError>(operation, "a degree tau inside (0, 1/2)", tau, "Err never exceeds 1/2");
  }
}

}  // namespace detail

/// Err(d, t), in [0, 1/2]. It grows with t and falls with the distance d >= 0. RangeError for t outside the
/// schedule or a negative d.
[[nodiscard]] inline double err(NoiseSchedule const& schedule, double distance, int t) {
  schedule.require_timestep(t, "err");
  detail::require_distance("err", distance);
  return phi(-distance * std::sqrt(schedule.snr()[static_cast<std::size_t>(t)]) / 2);
}

/// The first time-step at which an attribute of L2 size d is lost with degree tau inside (0, 1/2); no value
/// if the schedule ends before.
[[nodiscard]] inline std::optional<int> lost_at(NoiseSchedule const& schedule, double distance, double tau) {
  detail::require_distance("lost_at", distance);
  detail::require_degree("lost_at", tau);
  double const reach = 2 * phi_inverse(1 - tau);
  auto const snr = schedule.snr();  // falls with t
  auto const kept = [&](double value) { return distance * std::sqrt(value) > reach; };
  auto const first = std::partition_point(snr.begin(), snr.end(), kept);
  if (first == snr.end()) return std::nullopt;
  return static_cast<int>(first - snr.begin());
}

/// The same for an attribute given by many pairs: the first t where the mean of Err over their distances
/// reaches tau.
[[nodiscard]] inline std::optional<int> lost_at(NoiseSchedule const& schedule,
                                                std::span<double const> distances, double tau) {
  detail::require_degree("lost_at", tau);
  if (distances.empty()) fail<RangeError>("lost_at", "at least one distance", "none");
  for (double const distance : distances) detail::require_distance("lost_at", distance);
  for (int t = 0; t < schedule.timesteps(); ++t) {
    double sum = 0;
    for (double const distance : distances) sum += err(schedule, distance, t);
    if (sum >= tau * static_cast<double>(distances.size())) return t;
  }
  return std::nullopt;
}

}  // namespace diffsiam::diffusion
