// The loss at single time-steps: mean over n, h, w, c of (eps - prediction)^2 at t, without a weighting, and
// the same for the shifted prediction with the same noise. The difference is what z restores at t.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include <diffsiam/diffusion/sampler.hpp>
#include <diffsiam/diffusion/weighting.hpp>
#include <diffsiam/encoder/reveal.hpp>
#include <diffsiam/loss/diffusion_loss.hpp>
#include <diffsiam/loss/mean_squared_error.hpp>
#include <diffsiam/model/diffsiam.hpp>
#include <diffsiam/model/measured_err.hpp>

namespace diffsiam::model {

/// How timestep_losses() measures.
struct StepLossConfig {
  int draws = 1;  ///< of noise, for each picture; every time-step sees the same ones
  Rng rng{};      ///< its step selects the draws: batches at other steps get other noise
};

/// The losses at one time-step.
struct TimestepLoss {
  int t = 0;            ///< the time-step
  double denoiser = 0;  ///< of eps_theta(x_t, t)
  double shifted = 0;   ///< of eps_theta + c_t G(x_t, t, z), c_t as in training; z as revealed at t

  /// What z restores at t. Negative if z does harm, or if the gain is small and the noise decides.
  [[nodiscard]] double gain() const { return denoiser - shifted; }
};

namespace detail {

/// Calls visit(entry, noised) for every draw and time-step. What it adds to the losses of the entry is
/// divided by the number of draws.
template <class B, class Visit>
[[nodiscard]] std::vector<TimestepLoss> visit_steps(diffusion::NoiseSchedule const& schedule,
                                                    Tensor<B> const& x_0, std::span<int const> timesteps,
                                                    StepLossConfig const& config, Visit const& visit) {
  require_rank("timestep_losses", 4, x_0.shape(), "(n, h, w, c)");
  if (x_0.size() == 0) fail<ShapeError>("timestep_losses", "at least one picture", x_0.shape());
  require_timesteps("timestep_losses", schedule, timesteps);
  require_draws("timestep_losses", config.draws);
  std::vector<TimestepLoss> result;
  for (int const t : timesteps) result.push_back({.t = t});
  for (int draw = 0; draw < config.draws; ++draw) {
    std::uint64_t const step =
        config.rng.step * static_cast<std::uint64_t>(config.draws) + static_cast<std::uint64_t>(draw);
    Tensor<B> const noise = diffusion::normal<B>(x_0.context(), x_0.shape(), config.rng.at_step(step));
    for (TimestepLoss& at : result) {
      Tensor<B> const t = diffusion::same_timestep<B>(x_0.context(), x_0.shape().samples(), at.t);
      visit(at, diffusion::Noised<B>{diffusion::add_noise(schedule, x_0, t, noise), t, noise});
    }
  }
  for (TimestepLoss& at : result) {
    at.denoiser /= config.draws;
    at.shifted /= config.draws;
  }
  return result;
}

}  // namespace detail

/// The losses of a model at each of `timesteps` on pictures x_0 (n, h, w, c) with their z (n, dims), such as
/// model.encode(x_0), in one pass of the decoder per draw. Throws ShapeError for shapes that do not fit or no
/// picture, RangeError for t outside the schedule, ConfigError without draws.
template <class B, class Encoder, class Decoder>
[[nodiscard]] std::vector<TimestepLoss> timestep_losses(DiffSiam<B, Encoder, Decoder> const& model,
                                                        Tensor<B> const& x_0, Tensor<B> const& z,
                                                        std::span<int const> timesteps,
                                                        StepLossConfig const& config = {}) {
  loss::ShiftedNoise const loss{model.schedule(), diffusion::ConstantWeight{}};
  return detail::visit_steps(
      model.schedule(), x_0, timesteps, config, [&](TimestepLoss& at, diffusion::Noised<B> const& noised) {
        auto const [eps, gradient] =
            model.decoder()(noised.x_t, noised.t, encoder::reveal(model.partition(), z, noised.t));
        at.denoiser += static_cast<double>(loss(eps, noised).item());
        at.shifted += static_cast<double>(loss(eps, gradient, noised).item());
      });
}

/// The same for a predictor alone, such as diffusion::PlainNoise of a denoiser, with its prediction converted
/// to eps. `shifted` is its loss, too. Throws ConfigError also for eps prediction where the SNR is 0.
template <class B, diffusion::NoisePredictor<B> Predict>
[[nodiscard]] std::vector<TimestepLoss> timestep_losses(diffusion::NoiseSchedule const& schedule,
                                                        Predict const& predict, Tensor<B> const& x_0,
                                                        std::span<int const> timesteps,
                                                        StepLossConfig const& config = {}) {
  return detail::visit_steps(
      schedule, x_0, timesteps, config, [&](TimestepLoss& at, diffusion::Noised<B> const& noised) {
        Tensor<B> const eps = diffusion::predict_as(diffusion::PredictionTarget::eps, schedule, predict,
                                                    noised.x_t, {.t = at.t, .remaining = 1});
        auto const value = static_cast<double>(loss::MeanSquaredError{}(eps, noised.noise).item());
        at.denoiser += value;
        at.shifted += value;
      });
}

/// lambda_t gain: what z restores at each step, in the weighting of training.
template <diffusion::Weighting W = diffusion::SnrPower>
[[nodiscard]] std::vector<double> weighted_gains(diffusion::NoiseSchedule const& schedule,
                                                 std::span<TimestepLoss const> losses,
                                                 W const& weighting = {}) {
  std::vector<double> gains;
  for (TimestepLoss const& at : losses) {
    schedule.require_timestep(at.t, "weighted_gains");
    gains.push_back(static_cast<double>(weighting(schedule, at.t)) * at.gain());
  }
  return gains;
}

}  // namespace diffsiam::model
