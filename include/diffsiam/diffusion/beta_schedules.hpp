// Beta schedules: how much noise, beta_t, each time-step adds. A schedule of your own is any callable that
// takes (int t, int timesteps) and returns beta_t; NoiseSchedule::of() builds all tables from it:
//   struct Late { double operator()(int t, int timesteps) const { return 2 * t < timesteps ? 1e-4 : 0.02; }
//   }; NoiseSchedule const schedule = NoiseSchedule::of(Late{}, 1000);
#pragma once

#include <algorithm>
#include <cmath>
#include <concepts>
#include <numbers>

#include <diffsiam/core/error.hpp>
#include <diffsiam/diffusion/noise_tables.hpp>

namespace diffsiam::diffusion {

/// Satisfied if and only if a const S called with (int t, int timesteps) gives something convertible to
/// double: beta_t, inside (0, 1). It is called with 0 <= t < timesteps and timesteps >= 2 only. Models:
/// LinearBetas, CosineBetas, SigmoidBetas, ScaledLinearBetas, ConstantBetas, the user's own.
template <class S>
concept BetaSchedule = requires(S const& schedule, int t, int timesteps) {
  { schedule(t, timesteps) } -> std::convertible_to<double>;
};

/// In equal steps, both ends included (Ho et al., NeurIPS 2020, arXiv 2006.11239).
/// `beta_start` is beta_0, and `beta_end` is beta_{T-1}, each in (0, 1). NoiseSchedule checks every beta,
/// here and below.
struct LinearBetas {
  double beta_start = 1e-4, beta_end = 0.02;
  [[nodiscard]] double operator()(int t, int timesteps) const {
    return detail::even_step(beta_start, beta_end, t, timesteps);
  }
};

/// From abar(u) = cos^2(pi/2 (u + s)/(1 + s)) at u = t/T, beta no greater than `max_beta` (Nichol and
/// Dhariwal, ICML 2021, arXiv 2102.09672, equation 17). Throws ConfigError for s below 0 and max_beta outside
/// (0, 1).
struct CosineBetas {
  double s = 0.008, max_beta = 0.999;
  [[nodiscard]] double operator()(int t, int timesteps) const {
    if (!(s >= 0) || !std::isfinite(s))
      fail<ConfigError>("NoiseSchedule::cosine", "a finite offset s >= 0", s);
    if (!(max_beta > 0 && max_beta < 1))
      fail<ConfigError>("NoiseSchedule::cosine", "max_beta inside (0, 1)", max_beta);
    auto const abar = [&](int step) {
      double const u = static_cast<double>(step) / timesteps;
      double const cosine = std::cos((u + s) / (1 + s) * std::numbers::pi / 2);
      return cosine * cosine;
    };
    return std::min(1 - abar(t + 1) / abar(t), max_beta);
  }
};

/// beta_start + (beta_end - beta_start) / (1 + exp(-x)), x in equal steps from -`range` to `range` (Xu et
/// al., "GeoDiff", ICLR 2022, arXiv 2203.02923).
/// `beta_start` and `beta_end` are the limits for x to -infinity and to +infinity, so they are not quite
/// reached.
struct SigmoidBetas {
  double beta_start = 1e-4, beta_end = 0.02, range = 6;
  [[nodiscard]] double operator()(int t, int timesteps) const {
    double const x = detail::even_step(-range, range, t, timesteps);
    return beta_start + (beta_end - beta_start) / (1 + std::exp(-x));
  }
};

/// sqrt(beta) in equal steps (Rombach et al., "Latent diffusion", CVPR 2022, arXiv 2112.10752; its defaults).
/// `beta_start` is beta_0, and `beta_end` is beta_{T-1}; ConfigError unless they are in (0, 1).
struct ScaledLinearBetas {
  double beta_start = 0.0015, beta_end = 0.0195;
  [[nodiscard]] double operator()(int t, int timesteps) const {
    // The ends are checked first, because the square root would turn a negative one into NaN.
    detail::require_beta("NoiseSchedule::scaled_linear", 0, beta_start);
    detail::require_beta("NoiseSchedule::scaled_linear", timesteps - 1, beta_end);
    double const root = detail::even_step(std::sqrt(beta_start), std::sqrt(beta_end), t, timesteps);
    return root * root;
  }
};

/// The same at every step: the latent model of Diff-AE (Preechakul et al., CVPR 2022, arXiv 2111.15640).
struct ConstantBetas {
  double beta = 0.008;  ///< in (0, 1)
  [[nodiscard]] double operator()(int, int) const { return beta; }
};

static_assert(BetaSchedule<LinearBetas> && BetaSchedule<CosineBetas> && BetaSchedule<SigmoidBetas> &&
              BetaSchedule<ScaledLinearBetas> && BetaSchedule<ConstantBetas>);

}  // namespace diffsiam::diffusion
