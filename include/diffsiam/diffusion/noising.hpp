// Noising: x_t = sqrt(abar_t) x_0 + sqrt(1 - abar_t) eps (Ho et al., 2020, eq. 4).
#pragma once

#include <diffsiam/core/philox.hpp>
#include <diffsiam/diffusion/noise_schedule.hpp>
#include <diffsiam/functional/lookup.hpp>
#include <diffsiam/ops/arithmetic.hpp>
#include <diffsiam/ops/lookup.hpp>
#include <diffsiam/ops/scale_samples.hpp>
#include <diffsiam/tensor/for_each_element.hpp>
#include <diffsiam/value/plain.hpp>

namespace diffsiam::diffusion {

/// Streams of one seed, so that the time-steps and the noise of a step never share random numbers.
enum class Stream : std::uint32_t { timesteps = 1, noise = 2, sampling = 3 };

/// The numbers of one use, independent of those of the others.
[[nodiscard]] constexpr Rng stream_of(Rng const& rng, Stream stream) {
  return rng.with_stream(rng.stream + static_cast<std::uint32_t>(stream));
}

/// A batch with noise added. x_t and noise have the shape of x_0, t is (n).
template <class B>
struct Noised {
  Tensor<B> x_t;    ///< as x_0
  Tensor<B> t;      ///< (n), whole numbers in [0, T)
  Tensor<B> noise;  ///< as x_0, standard normal
};

/// Standard normal numbers.
template <class B>
[[nodiscard]] Tensor<B> normal(typename B::Context& context, Shape const& shape, Rng const& rng) {
  Tensor<B> result{context, shape};
  B::normal(context, rng, result.data(), result.size());
  return result;
}

/// n time-steps, uniform in [0, timesteps).
template <class B>
[[nodiscard]] Tensor<B> uniform_timesteps(typename B::Context& context, Index n, Index timesteps,
                                          Rng const& rng) {
  Tensor<B> t{context, {n}};
  B::uniform(context, rng, t.data(), n);
  using T = typename B::Scalar;
  for_each_element(functional::UniformStep<T>{static_cast<T>(timesteps)}, t);
  return t;
}

/// x_t from x_0 (n, ...), t (n) and noise of x_0's shape. Throws RangeError for t outside the schedule.
template <class B>
[[nodiscard]] Tensor<B> add_noise(NoiseSchedule const& schedule, Tensor<B> const& x_0, Tensor<B> const& t,
                                  Tensor<B> const& noise) {
  require_shape("add_noise", x_0.shape(), noise.shape(), "noise has the shape of the images");
  require_shape("add_noise", {x_0.shape().samples()}, t.shape(), "one time-step a sample");
  return ops::scale_samples(x_0, ops::lookup(schedule.sqrt_alphas_cumprod(), t)) +
         ops::scale_samples(noise, ops::lookup(schedule.sqrt_one_minus_alphas_cumprod(), t));
}
/// The same with uniform t and with noise, both drawn from `rng`, which must have a new step for each draw.
template <class B>
[[nodiscard]] Noised<B> add_noise(NoiseSchedule const& schedule, Tensor<B> const& x_0, Rng const& rng) {
  auto& context = x_0.context();
  Noised<B> result{{},
                   uniform_timesteps<B>(context, x_0.shape().samples(), schedule.timesteps(),
                                        stream_of(rng, Stream::timesteps)),
                   normal<B>(context, x_0.shape(), stream_of(rng, Stream::noise))};
  result.x_t = add_noise(schedule, x_0, result.t, result.noise);
  return result;
}

}  // namespace diffsiam::diffusion
