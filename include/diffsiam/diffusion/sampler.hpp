// What samplers share: the predictor they ask at every step, and conversions of what a network predicts.
#pragma once

#include <cmath>
#include <concepts>
#include <utility>

#include <diffsiam/diffusion/noising.hpp>
#include <diffsiam/diffusion/prediction.hpp>
#include <diffsiam/functional/sampling.hpp>

namespace diffsiam::diffusion {

/// Where a sampler stands: the time-step told to the network, and how many steps are left, this one included.
struct SamplerStep {
  int t = 0;
  int remaining = 0;
};

/// Satisfied if and only if P maps x (n, ...), t (n) and a SamplerStep to eps of x's shape. Models:
/// PlainNoise, model::GuidedNoise, any lambda.
template <class P, class B>
concept NoisePredictor =
    requires(P const& predict, Tensor<B> const& x, Tensor<B> const& t, SamplerStep step) {
      { predict(x, t, step) } -> std::same_as<Tensor<B>>;
    };

/// A denoiser alone. What it predicts is converted to eps.
template <class Denoiser>
class PlainNoise {
 public:
  explicit PlainNoise(Denoiser const& denoiser, NoiseSchedule schedule,
                      PredictionTarget target = PredictionTarget::eps)
      : denoiser_(denoiser), schedule_(std::move(schedule)), target_(target) {}

  template <class B>
  [[nodiscard]] Tensor<B> operator()(Tensor<B> const& x, Tensor<B> const& t, SamplerStep step) const {
    Tensor<B> const predicted = denoiser_(x, t);
    if (target_ == PredictionTarget::eps) return predicted;
    LinearPair const pair = convert_prediction(schedule_, step.t, target_, PredictionTarget::eps);
    return ops::linear_combination(pair.x_t, x, pair.prediction, predicted);
  }

 private:
  Denoiser denoiser_;
  NoiseSchedule schedule_;
  PredictionTarget target_;
};

/// t (n): the same time-step for n samples.
template <class B>
[[nodiscard]] Tensor<B> same_timestep(typename B::Context& context, Index n, int t) {
  return Tensor<B>::filled(context, {n}, static_cast<typename B::Scalar>(t));
}

/// What samplers call after each step, with (steps done, steps in all), unless told otherwise: nothing
/// happens.
struct NoProgress {
  void operator()(int, int) const {}
};

namespace detail {

/// A copy in full, to be changed step by step.
template <class B>
[[nodiscard]] Tensor<B> working_copy(Tensor<B> const& start) {
  return start.is_compact() ? start.widened() : start.clone();
}

/// x += scale times fresh normal noise.
template <class B>
void add_normal(Tensor<B> const& x, double scale, Rng const& rng) {
  using T = typename B::Scalar;
  Tensor<B> const noise = normal<B>(x.context(), x.shape(), rng);
  SampleGrid const all{1, 1, x.size()};
  B::for_each(x.context(), all.grid(), functional::AccumulateScaled<T>{static_cast<T>(scale)},
              all.full(x.data()), all.full(noise.data()));
}

template <class T>
[[nodiscard]] functional::CleanImage<T> clean_image(double abar, bool clip) {
  return {static_cast<T>(std::sqrt(abar)), static_cast<T>(std::sqrt(1 - abar)), clip};
}

}  // namespace detail

}  // namespace diffsiam::diffusion
