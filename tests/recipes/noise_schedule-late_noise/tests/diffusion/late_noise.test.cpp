#include <algorithm>
#include <vector>

#include <tests/support/catch.hpp>

#include <diffsiam/diffusion/late_noise.hpp>
#include <diffsiam/diffusion/noise_schedule.hpp>

namespace diffsiam::test {

TEST_CASE("Late noise has the betas worked out by hand") {
  auto const schedule = diffusion::NoiseSchedule::of(diffusion::LateNoise{0.1, 0.5}, 4);
  CHECK(std::ranges::equal(schedule.betas(), std::vector<double>{0.1, 0.1, 0.5, 0.5}));
  CHECK(schedule.abar(3) == Approx(0.9 * 0.9 * 0.5 * 0.5));
}

}  // namespace diffsiam::test
