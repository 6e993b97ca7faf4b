// LateNoise: little noise in the first half of the time-steps, much in the second; beta_t is one of two
// values.
#pragma once

#include <diffsiam/diffusion/beta_schedules.hpp>

namespace diffsiam::diffusion {

/// Both betas inside (0, 1).
struct LateNoise {
  double early = 1e-4, late = 0.02;
  [[nodiscard]] double operator()(int t, int timesteps) const { return 2 * t < timesteps ? early : late; }
};

static_assert(BetaSchedule<LateNoise>);

}  // namespace diffsiam::diffusion
