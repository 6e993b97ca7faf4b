// Denoising: the loss of a denoiser that predicts eps, x_0 or v,
//   mean over n, h, w, c of lambda_t (target - prediction)^2,
// where v = sqrt(abar_t) eps - sqrt(1 - abar_t) x_0 (see diffusion/prediction.hpp). Samplers read what it has
// learned by the same name: diffusion::PlainNoise{denoiser, schedule, target}.
#pragma once

#include <vector>

#include <diffsiam/diffusion/noising.hpp>
#include <diffsiam/diffusion/prediction.hpp>
#include <diffsiam/diffusion/weighting.hpp>
#include <diffsiam/ops/lookup.hpp>
#include <diffsiam/ops/scale_samples.hpp>
#include <diffsiam/ops/weighted_error.hpp>

namespace diffsiam::loss {

/// Denoising const loss{schedule, PredictionTarget::v};
/// auto const noised = add_noise(schedule, x_0, rng);
/// tape.backward(loss(denoiser(tape.input(noised.x_t), noised.t), x_0, noised));
class Denoising {
 public:
  /// lambda_t counts the error of the target itself; it is 1 by default. Throws ConfigError for eps with zero
  /// terminal SNR, where it would teach nothing of x_0, and for weights that are negative or not finite.
  template <diffusion::Weighting W = diffusion::ConstantWeight>
  explicit Denoising(diffusion::NoiseSchedule const& schedule,
                     diffusion::PredictionTarget target = diffusion::PredictionTarget::eps,
                     W const& weighting = {})
      : target_(target), weights_(diffusion::weight_table(schedule, weighting)) {
    for (int t = 0; t < schedule.timesteps(); ++t) {
      diffusion::TargetPair const pair = diffusion::training_target(schedule, t, target);
      of_x_0_.push_back(pair.x_0);
      of_noise_.push_back(pair.noise);
    }
  }

  /// prediction (n, h, w, c), what the denoiser made of noised.x_t; x_0 of the same shape -> rank 0.
  template <FlowingValue P, class B>
  [[nodiscard]] auto operator()(P const& prediction, Tensor<B> const& x_0,
                                diffusion::Noised<B> const& noised) const {
    return ops::weighted_error(prediction, aim(x_0, noised), ops::lookup<B>(weights_, noised.t));
  }

 private:
  /// What the prediction should be.
  template <class B>
  [[nodiscard]] Tensor<B> aim(Tensor<B> const& x_0, diffusion::Noised<B> const& noised) const {
    if (target_ == diffusion::PredictionTarget::eps) return noised.noise;
    if (target_ == diffusion::PredictionTarget::x_0) return x_0;
    return ops::scale_samples(x_0, ops::lookup<B>(of_x_0_, noised.t)) +
           ops::scale_samples(noised.noise, ops::lookup<B>(of_noise_, noised.t));
  }

  diffusion::PredictionTarget target_;
  std::vector<double> weights_, of_x_0_, of_noise_;
};

}  // namespace diffsiam::loss
