// What samplers share: the predictor that they call at every step, and how they use what it predicts.
#pragma once

#include <cmath>
#include <concepts>
#include <limits>
#include <string_view>

#include <diffsiam/diffusion/noising.hpp>
#include <diffsiam/diffusion/prediction.hpp>
#include <diffsiam/functional/sampling.hpp>
#include <diffsiam/tensor/for_each_element.hpp>
#include <diffsiam/tensor/prepacked_weights.hpp>

namespace diffsiam::diffusion {

/// The position of a sampler: the time-step given to the network, and how many steps are left, including this
/// one.
struct SamplerStep {
  int t = 0;          ///< 0 <= t < T, as the network is told it
  int remaining = 0;  ///< at least 1
};

/// Satisfied if and only if P maps x (n, ...), t (n) and a SamplerStep to a prediction of x's shape. The
/// prediction is what target() says, or eps if P has no target(). Models: PlainNoise, model::GuidedNoise, any
/// lambda.
template <class P, class B>
concept NoisePredictor =
    requires(P const& predict, Tensor<B> const& x, Tensor<B> const& t, SamplerStep step) {
      { predict(x, t, step) } -> std::same_as<Tensor<B>>;
    };

/// What the result of a predictor is: eps, x_0 or v.
template <class B, class P>
[[nodiscard]] PredictionTarget target_of(P const& predict) {
  static_assert(NoisePredictor<P, B>,
                "A predictor is called with (x, t, SamplerStep) and returns a tensor of x's shape; see "
                "NoisePredictor.");
  if constexpr (requires {
                  { predict.target() } -> std::same_as<PredictionTarget>;
                }) {
    return predict.target();
  } else {
    return PredictionTarget::eps;
  }
}

/// Whether calling P runs only code of the library, which writes and frees no weights. P declares it with a
/// member of this name. Samplers then need not check the weights before each use, which at a batch of 1 takes
/// about a tenth of their time.
template <class P>
inline constexpr bool leaves_weights_alone = requires { requires P::leaves_weights_alone; };

/// A denoiser alone; samplers interpret its result as `target`.
template <class Denoiser>
class PlainNoise {
 public:
  static constexpr bool leaves_weights_alone = diffusion::leaves_weights_alone<Denoiser>;

  /// Throws ConfigError for eps prediction with zero terminal SNR.
  explicit PlainNoise(Denoiser const& denoiser, NoiseSchedule const& schedule,
                      PredictionTarget target = PredictionTarget::eps)
      : denoiser_(denoiser), target_(target) {
    if (target == PredictionTarget::eps) schedule.require_signal("PlainNoise");
  }

  template <class B>
  [[nodiscard]] Tensor<B> operator()(Tensor<B> const& x, Tensor<B> const& t, SamplerStep) const {
    return denoiser_(x, t);
  }
  [[nodiscard]] PredictionTarget target() const { return target_; }

 private:
  Denoiser denoiser_;
  PredictionTarget target_;
};

/// t (n): the same time-step for n samples.
template <class B>
[[nodiscard]] Tensor<B> same_timestep(typename B::Context& context, Index n, int t) {
  return Tensor<B>::filled(context, {n}, static_cast<typename B::Scalar>(t));
}

/// The prediction for x (n, ...) at the step's t, converted to the target `to`. Throws ConfigError before the
/// predictor is called if its own target does not determine the other one.
template <class B, class P>
[[nodiscard]] Tensor<B> predict_as(PredictionTarget to, NoiseSchedule const& schedule, P const& predict,
                                   Tensor<B> const& x, SamplerStep step) {
  PredictionTarget const from = target_of<B>(predict);
  LinearPair const pair = convert_prediction(schedule, step.t, from, to);
  Tensor<B> const prediction = predict(x, same_timestep<B>(x.context(), x.shape().samples(), step.t), step);
  return from == to ? prediction : ops::linear_combination(pair.x_t, x, pair.prediction, prediction);
}

/// The default of what samplers call after each step with (steps done, steps in all): it does nothing.
struct NoProgress {
  void operator()(int, int) const {}
};

/// What a sampler may promise about the weights while it calls P and Progress.
template <class P, class Progress>
inline constexpr WeightPromise weights_while_sampling =
    leaves_weights_alone<P> && std::same_as<Progress, NoProgress> ? WeightPromise::stay : WeightPromise::none;

namespace detail {

/// A copy in full, to be changed step by step.
template <class B>
[[nodiscard]] Tensor<B> working_copy(Tensor<B> const& start) {
  return start.is_low_precision() ? start.full_precision() : start.clone();
}

/// x += scale times fresh normal noise.
template <class B>
void add_normal(Tensor<B> const& x, double scale, Rng const& rng) {
  using T = typename B::Scalar;
  Tensor<B> const noise = normal<B>(x.context(), x.shape(), rng);
  for_each_element(functional::AccumulateScaled<T>{static_cast<T>(scale)}, x, noise);
}

/// How a prediction at noise level abar is used. Throws ConfigError where the prediction is not enough: eps
/// where abar is 0, or so small that 1/sqrt(abar) overflows T; x_0 where abar is 1.
template <class T>
[[nodiscard]] functional::DirectImage<T> read_at(std::string_view operation, PredictionTarget target, int t,
                                                 double abar, bool clip) {
  double const a = std::sqrt(abar);
  constexpr double room = 65536;  // for what is divided by a
  if (target == PredictionTarget::eps && a < room / static_cast<double>(std::numeric_limits<T>::max())) {
    fail<ConfigError>(operation, "an SNR above 0 where eps is predicted", {"abar = ", abar, " at t = ", t},
                      "x_t holds nothing of x_0 there: use v prediction or x_0 prediction");
  }
  if (target == PredictionTarget::x_0 && abar >= 1) {
    fail<ConfigError>(operation, "noise where x_0 is predicted", {"abar = ", abar, " at t = ", t},
                      "x_t and x_0 are one there and say nothing of eps: use v prediction or eps prediction");
  }
  return {target, static_cast<T>(a), static_cast<T>(std::sqrt(1 - abar)), clip};
}

/// The same for eps prediction alone.
template <class T>
[[nodiscard]] functional::CleanImage<T> clean_image(functional::DirectImage<T> const& read) {
  return {read.a, read.s, read.clip};
}

}  // namespace detail

}  // namespace diffsiam::diffusion
