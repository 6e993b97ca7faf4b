// The weighting of the diffusion half, as the programs offer it: one number.
#pragma once

#include <diffsiam/diffusion/weighting.hpp>

namespace experiments {

/// lambda_t = 1/(k + SNR): where the SNR is above k, the error of eps counts as that of x_0 does, so that
/// steps at which z must say much weigh most. 0: PDAE's, SNR^0.1/(1 + SNR).
struct LossWeighting {
  double k = 0;
  [[nodiscard]] double operator()(diffsiam::diffusion::NoiseSchedule const& schedule, int t) const {
    if (k == 0) return diffsiam::diffusion::SnrPower{}(schedule, t);
    return diffsiam::diffusion::P2{.k = k}(schedule, t);
  }
};

}  // namespace experiments
