// What trials of denoisers are weighted and measured by.
#include <algorithm>
#include <cstddef>
#include <span>
#include <vector>

#include <tests/support/catch.hpp>

#include <experiments/denoiser_trial.hpp>

using namespace experiments;

TEST_CASE("min-SNR weights the same error of x_0 alike, whatever the network predicts", "[experiments]") {
  using enum ds::diffusion::PredictionTarget;
  ds::NoiseSchedule const schedule = ds::NoiseSchedule::linear();
  for (int const t : {0, 100, 300, 999}) {
    double const snr = schedule.snr()[static_cast<std::size_t>(t)];
    // By x_t = a x_0 + s eps and v = a eps - s x_0, an error of 1 in x_0 is one of a/s in eps and 1/s in v.
    double const expected = std::min(snr, 5.0);
    CHECK_THAT(detail::TargetWeight({5, x_0})(schedule, t), Catch::Matchers::WithinRel(expected, 1e-12));
    CHECK_THAT(detail::TargetWeight({5, eps})(schedule, t) * snr,
               Catch::Matchers::WithinRel(expected, 1e-12));
    CHECK_THAT(detail::TargetWeight({5, v})(schedule, t) * (snr + 1),
               Catch::Matchers::WithinRel(expected, 1e-12));
    CHECK(detail::TargetWeight({0, v})(schedule, t) == 1);
  }
}

TEST_CASE("samples become a data set of bytes, clipped", "[experiments]") {
  B::Context context{{.threads = 1}};
  std::vector<float> const values{-1, 1, 0, -3, 2, -1, 1, 0};
  auto const set = dataset_of(ds::Tensor<B>::from(context, {2, 2, 2, 1}, std::span<float const>{values}));
  CHECK(set.size() == 2);
  CHECK(set.height() == 2);
  auto const units = set.units();
  CHECK(units[0] == -1);
  CHECK(units[1] == 1);
  CHECK(units[3] == -1);
  CHECK(units[4] == 1);
}
