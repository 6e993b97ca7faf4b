// The measured Err(t): how often a trained denoiser takes one picture of a pair for the other. Add noise to
// x_0 at t, reconstruct
//   x_0^ = (x_t - sqrt(1 - abar) eps_theta(x_t, t))/sqrt(abar),
// and count where |x_0^ - y_0| < |x_0^ - x_0|. Err(t) is the mean over noise and pairs. For the ideal
// denoiser of a data set of only x_0 and y_0, its expectation is exactly diffusion::err(|x_0 - y_0|, t).
// DiTi, ICLR 2024, arXiv 2401.11430.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <span>
#include <vector>

#include <diffsiam/core/text.hpp>
#include <diffsiam/diffusion/attribute_loss.hpp>
#include <diffsiam/diffusion/sampler.hpp>
#include <diffsiam/tensor/inner_products.hpp>

namespace diffsiam::model {

/// How measured_err() measures.
struct MeasuredErrConfig {
  int draws = 4;  ///< of noise, for each pair and direction; every time-step sees the same ones
  /// Also add noise to y_0 and compare with x_0; both directions have the same weight. A denoiser that has
  /// lost the pair and returns the same picture for both then has an Err of 1/2, whatever that picture is.
  /// For a predictor that knows x_0, such as GuidedNoise with its z, set it to false.
  bool both_ways = true;
  Rng rng{};  ///< its step selects the draws: batches at other steps get other noise
};

/// Err at one time-step.
struct MeasuredErr {
  int t = 0;            ///< the time-step
  double measured = 0;  ///< in [0, 1], at most about 1/2 if both_ways; a tie counts 1/2
  double ideal = 0;     ///< the mean of diffusion::err over the pairs' distances
  Index trials = 0;     ///< in `measured`: pairs times draws, twice that if both_ways
};

namespace detail {

inline void require_draws(std::string_view operation, int draws) {
  if (draws < 1) fail<ConfigError>(operation, "at least one draw of noise", draws);
}
inline void require_timesteps(std::string_view operation, diffusion::NoiseSchedule const& schedule,
                              std::span<int const> timesteps) {
  if (timesteps.empty()) fail<RangeError>(operation, "at least one time-step", "none");
  for (int const t : timesteps) schedule.require_timestep(t, operation);
}

}  // namespace detail

/// The L2 distance of x and y, both (n, h, w, c), sample by sample: the argument of diffusion::err, and, for
/// pairs that differ in one factor, of lost_at.
template <class B>
[[nodiscard]] std::vector<double> pair_distances(Tensor<B> const& x, Tensor<B> const& y) {
  require_shape("pair_distances", x.shape(), y.shape(), "both sides of the pairs have one shape");
  Tensor<B> const apart = y - x;
  std::vector<double> distances = inner_products(apart, apart);
  for (double& distance : distances) distance = std::sqrt(distance);
  return distances;
}

/// Err at each of `timesteps` for the pairs x_0[i], y_0[i], both (n, h, w, c). `predict` is
/// diffusion::PlainNoise of a denoiser, or any NoisePredictor; it is called for all n at once. Throws
/// ShapeError for different shapes or no pair, RangeError for t outside the schedule, ConfigError without
/// draws or for eps prediction at an SNR of 0, NumericError if a reconstruction is not finite.
template <class B, class Predict>
[[nodiscard]] std::vector<MeasuredErr> measured_err(diffusion::NoiseSchedule const& schedule,
                                                    Predict const& predict, Tensor<B> const& x_0,
                                                    Tensor<B> const& y_0, std::span<int const> timesteps,
                                                    MeasuredErrConfig const& config = {}) {
  require_rank("measured_err", 4, x_0.shape(), "(n, h, w, c)");
  require_shape("measured_err", x_0.shape(), y_0.shape(), "both sides of the pairs have one shape");
  if (x_0.size() == 0) fail<ShapeError>("measured_err", "at least one pair", x_0.shape());
  detail::require_timesteps("measured_err", schedule, timesteps);
  detail::require_draws("measured_err", config.draws);
  auto const target = diffusion::target_of<B>(predict);
  for (int const t : timesteps)
    static_cast<void>(diffusion::convert_prediction(schedule, t, target, diffusion::PredictionTarget::x_0));

  std::vector<MeasuredErr> result;
  std::vector<double> const distances = pair_distances(x_0, y_0);
  for (int const t : timesteps) {
    double sum = 0;
    for (double const distance : distances) sum += diffusion::err(schedule, distance, t);
    result.push_back({.t = t, .ideal = sum / static_cast<double>(distances.size())});
  }

  Tensor<B> const middle = ops::linear_combination(0.5, x_0, 0.5, y_0);
  // x_0^ is nearer to `other` if it is beyond the middle in the direction other - original.
  auto const count = [&](Tensor<B> const& original, Tensor<B> const& other, Tensor<B> const& noise,
                         MeasuredErr& at) {
    Tensor<B> const t = diffusion::same_timestep<B>(x_0.context(), x_0.shape().samples(), at.t);
    Tensor<B> const x_t = diffusion::add_noise(schedule, original, t, noise);
    Tensor<B> const clean = diffusion::predict_as(diffusion::PredictionTarget::x_0, schedule, predict, x_t,
                                                  {.t = at.t, .remaining = 1});
    for (double const along : inner_products(clean - middle, other - original)) {
      if (!std::isfinite(along))
        fail<NumericError>("measured_err", "finite reconstructions", {along, " at t = ", at.t});
      at.measured += along > 0 ? 1.0 : along == 0 ? 0.5 : 0.0;
      ++at.trials;
    }
  };
  for (int draw = 0; draw < config.draws; ++draw) {
    std::uint64_t const step =
        config.rng.step * static_cast<std::uint64_t>(config.draws) + static_cast<std::uint64_t>(draw);
    Tensor<B> const noise = diffusion::normal<B>(x_0.context(), x_0.shape(), config.rng.at_step(step));
    for (MeasuredErr& at : result) {
      count(x_0, y_0, noise, at);
      if (config.both_ways) count(y_0, x_0, noise, at);
    }
  }
  for (MeasuredErr& at : result) at.measured /= static_cast<double>(at.trials);
  return result;
}

}  // namespace diffsiam::model
