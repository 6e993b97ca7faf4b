// The gap between posterior means (PDAE, arXiv 2212.12990): mean over n, h, w, c of (m(x_t, x_0) - m(x_t,
// x_0^))^2 with
//   m = [beta sqrt(abar_{t-1}) x_0 + sqrt(alpha)(1 - abar_{t-1}) x_t]/(1 - abar)
// at the true x_0 and at the predicted one. Both means have the same x_t. With x_0^ expressed by eps^ they
// differ by beta/(sqrt(alpha) sqrt(1 - abar)) (eps^ - eps), so the gap is the square of that factor times the
// loss of the step. With c_t, the coefficient of training, the shift adds posterior variance times G to the
// mean.
#pragma once

#include <span>
#include <vector>

#include <diffsiam/model/step_losses.hpp>

namespace diffsiam::model {

struct PosteriorGap {
  int t = 0;
  double denoiser = 0;  ///< without G
  double shifted = 0;   ///< with G
};

/// The gaps for the losses of step_losses. Throws RangeError for t outside the schedule, ConfigError with
/// zero terminal SNR, where eps has no meaning.
[[nodiscard]] inline std::vector<PosteriorGap> posterior_gaps(diffusion::NoiseSchedule const& schedule,
                                                              std::span<StepLoss const> losses) {
  auto const factors = schedule.noise_posterior_mean_noise_coef();
  std::vector<PosteriorGap> gaps;
  for (StepLoss const& at : losses) {
    schedule.require_timestep(at.t, "posterior_gaps");
    double const factor = factors[static_cast<std::size_t>(at.t)];
    gaps.push_back({at.t, factor * factor * at.denoiser, factor * factor * at.shifted});
  }
  return gaps;
}

}  // namespace diffsiam::model
