// What it is worth to tell the decoder a factor at time-step t.
//
// Let x_0 = sum of s_j f_j u_j with orthonormal directions u_j and independent factors f_j of variance 1. Of
// f_j the noisy x_t shows sqrt(r) f_j + n, with unit noise n and r = SNR_t s_j^2. The best denoiser is left
// with the squared error m(r) of f_j. A z that tells f_j removes this error; as an error of eps, it is
//   plain:     lambda_t SNR_t s_j^2 m(r) = lambda_t r m(r)
//   whitened:  lambda_t SNR_t m(r)           (each direction divided by its deviation s_j)
// For a Gaussian factor, or any factor under a denoiser that knows second moments only, m(r) = 1/(1 + r). The
// plain gain lambda_t r/(1 + r) then grows with s_j at every t, whatever lambda_t is: the greatest factor is
// told first, as in PCA. The whitened gain lambda_t SNR_t/(1 + r) falls with s_j at every t: the smallest one
// is told first. For a factor of two equally likely values -1 and 1, m(r) falls exponentially with r: such a
// factor is lost at some time-step, and before it there is nothing to gain.
#pragma once

#include <algorithm>
#include <cmath>
#include <numbers>
#include <string_view>

#include <diffsiam/core/text.hpp>
#include <diffsiam/diffusion/noise_schedule.hpp>
#include <diffsiam/diffusion/weighting.hpp>

namespace diffsiam::diffusion {

/// How a factor of mean 0 and variance 1 is distributed.
enum class FactorKind {
  gaussian,   ///< normal; also any factor, for a denoiser that is linear
  two_valued  ///< -1 or 1, equally likely
};

/// What an error is measured in.
enum class ErrorMetric {
  plain,    ///< pixels
  whitened  ///< each direction divided by its standard deviation
};

/// m(r), the mean squared error of the best estimate of a factor from sqrt(r) f + n with unit noise, in [0,
/// 1]: 1/(1 + r) for a Gaussian, and
///   1 - E tanh(r + sqrt(r) n) = exp(-r/2) E sech(sqrt(r) n)
/// for two values (Guo, Shamai and Verdu 2005, arXiv cs/0412108), accurate to 1e-12 of its value. RangeError
/// for a negative r.
[[nodiscard]] inline double least_squared_error(FactorKind kind, double r) {
  if (!(r >= 0)) fail<RangeError>("least_squared_error", "a signal-to-noise ratio >= 0", r);
  if (kind == FactorKind::gaussian) return 1 / (1 + r);
  // The trapezoidal rule: its error falls exponentially in the distance of the poles, pi/(2 sqrt(r)), divided
  // by the width of a step.
  double const root = std::sqrt(r);
  double const step = 0.25 / std::max(1.0, root), end = std::min(10.0, 45 / std::max(root, 1e-3));
  double sum = 0.5;
  for (int i = 1; i * step < end; ++i) {
    double const u = i * step;
    sum += std::exp(-u * u / 2) / std::cosh(root * u);
  }
  return std::exp(-r / 2) * sum * 2 * step / std::sqrt(2 * std::numbers::pi);
}

/// The gain of telling a factor of amplitude s > 0 at t, as an error of eps weighted by `weighting`. Throws
/// RangeError for t outside the schedule or an amplitude that is not above 0 and finite.
template <Weighting W = SnrPower>
[[nodiscard]] double telling_gain(NoiseSchedule const& schedule, FactorKind kind, ErrorMetric metric,
                                  double amplitude, int t, W const& weighting = {}) {
  schedule.require_timestep(t, "telling_gain");
  if (!(amplitude > 0 && std::isfinite(amplitude)))
    fail<RangeError>("telling_gain", "a finite amplitude above 0", amplitude);
  double const snr = schedule.snr()[static_cast<std::size_t>(t)];
  double const squared = amplitude * amplitude;
  double const gain =
      static_cast<double>(weighting(schedule, t)) * snr * least_squared_error(kind, snr * squared);
  return metric == ErrorMetric::plain ? gain * squared : gain;
}

}  // namespace diffsiam::diffusion
