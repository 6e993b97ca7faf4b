// The diffusion losses: mean over n, h, w, c of lambda_t (eps - prediction)^2. With zero terminal SNR nothing
// about x_0 could be learned from eps at the last step, so their constructors throw ConfigError.
#pragma once

#include <vector>

#include <diffsiam/diffusion/noising.hpp>
#include <diffsiam/diffusion/weighting.hpp>
#include <diffsiam/ops/scale_samples.hpp>
#include <diffsiam/ops/weighted_error.hpp>

namespace diffsiam::loss {

/// The loss of a denoiser that predicts eps. lambda is 1 by default (L_simple of Ho et al., 2020, eq. 14).
class Noise {
 public:
  /// Throws ConfigError with zero terminal SNR, and for weights that are negative or not finite.
  template <diffusion::Weighting W = diffusion::ConstantWeight>
  explicit Noise(diffusion::NoiseSchedule const& schedule, W const& weighting = {})
      : weights_(diffusion::weight_table(schedule, weighting)) {
    schedule.require_signal("loss::Noise");
  }

  /// eps (n, h, w, c) -> rank 0.
  template <FlowingValue Eps, class B>
  [[nodiscard]] auto operator()(Eps const& eps, diffusion::Noised<B> const& noised) const {
    return ops::weighted_error(eps, noised.noise, ops::lookup<B>(weights_, noised.t));
  }

 private:
  std::vector<double> weights_;
};

/// The loss of a shifted prediction eps_theta + c_t G, with c_t = -sqrt(alpha)(1 - abar_{t-1})/sqrt(1 - abar)
/// and by default lambda_t = SNR^0.1/(1 + SNR) (PDAE, arXiv 2212.12990, eq. 11 and 13).
class ShiftedNoise {
 public:
  /// Throws ConfigError with zero terminal SNR, and for weights that are negative or not finite.
  template <diffusion::Weighting W = diffusion::SnrPower>
  explicit ShiftedNoise(diffusion::NoiseSchedule const& schedule, W const& weighting = {})
      : schedule_(schedule), weights_(diffusion::weight_table(schedule, weighting)) {
    schedule.require_signal("loss::ShiftedNoise");
  }

  /// eps and gradient (n, h, w, c) -> rank 0.
  template <FlowingValue Eps, FlowingValue G, class B>
  [[nodiscard]] auto operator()(Eps const& eps, G const& gradient, diffusion::Noised<B> const& noised) const {
    auto const shift = ops::scale_samples(gradient, ops::lookup(schedule_.shift_coef(), noised.t));
    return ops::weighted_error(ops::add(eps, shift), noised.noise, ops::lookup<B>(weights_, noised.t));
  }
  /// The same for the denoiser alone: the result for G = 0, bit for bit.
  template <FlowingValue Eps, class B>
  [[nodiscard]] auto operator()(Eps const& eps, diffusion::Noised<B> const& noised) const {
    return ops::weighted_error(eps, noised.noise, ops::lookup<B>(weights_, noised.t));
  }

 private:
  diffusion::NoiseSchedule schedule_;
  std::vector<double> weights_;
};

}  // namespace diffsiam::loss
