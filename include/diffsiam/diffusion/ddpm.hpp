// DDPM (Ho et al., 2020, arXiv 2006.11239): ancestral sampling, with one step for each time-step of the
// schedule.
#pragma once

#include <cmath>

#include <diffsiam/diffusion/sampler.hpp>

namespace diffsiam::diffusion {

/// Variance of the added noise: that of the posterior, beta (1 - abar_{t-1})/(1 - abar_t), or beta.
enum class AncestralVariance { posterior, beta };

/// How ancestral sampling steps.
struct DdpmOptions {
  bool clip = true;                                           ///< clip x_0^ to [-1, 1]; off for latents
  AncestralVariance variance = AncestralVariance::posterior;  ///< of the noise that each step adds
  Rng rng{};                                                  ///< of x's fresh noise; each t draws its own
};

/// x_T (n, ...) -> x_0 in T steps; no noise is added at t = 0. Throws ConfigError for eps prediction with
/// zero terminal SNR.
template <class B, class P, class Progress = NoProgress>
[[nodiscard]] Tensor<B> ddpm_sample(NoiseSchedule const& schedule, Tensor<B> const& x_T, P const& predict,
                                    DdpmOptions const& options = {}, Progress const& progress = {}) {
  using T = typename B::Scalar;
  PredictionTarget const target = target_of<B>(predict);
  auto const read = [&](int t) {
    return detail::read_at<T>("ddpm", target, t, schedule.abar(t), options.clip);
  };
  static_cast<void>(read(schedule.timesteps() - 1));  // where the least signal is
  Tensor<B> const x = detail::working_copy(x_T);
  [[maybe_unused]] auto const kept = keep_prepacked_weights(x.context(), weights_while_sampling<P, Progress>);
  int const steps = schedule.timesteps();
  for (int t = steps - 1; t >= 0; --t) {
    auto const at = static_cast<std::size_t>(t);
    Tensor<B> const prediction =
        predict(x, same_timestep<B>(x.context(), x.shape().samples(), t), SamplerStep{t, t + 1})
            .full_precision();
    require_shape("ddpm", x.shape(), prediction.shape(), "a predictor returns a tensor of x's shape");
    auto const c_0 = static_cast<T>(schedule.posterior_mean_x_0_coef()[at]);
    auto const c_t = static_cast<T>(schedule.posterior_mean_x_t_coef()[at]);
    if (target == PredictionTarget::eps)
      for_each_element(functional::PosteriorMean<T>{detail::clean_image(read(t)), c_0, c_t}, x, prediction);
    else
      for_each_element(functional::PosteriorMean<T, functional::DirectImage<T>>{read(t), c_0, c_t}, x,
                       prediction);
    if (t > 0) {
      double const deviation = options.variance == AncestralVariance::posterior
                                   ? std::exp(0.5 * schedule.posterior_log_variance()[at])
                                   : std::sqrt(schedule.betas()[at]);
      detail::add_normal(x, deviation,
                         stream_of(options.rng, Stream::sampling).at_step(static_cast<std::uint64_t>(t)));
    }
    progress(steps - t, steps);
  }
  return x;
}

}  // namespace diffsiam::diffusion
