// DenoiserActivations: what a frozen denoiser sees in pictures, as features. Denoisers learn features that
// tell classes apart, best at little noise (Xiang et al., "Denoising Diffusion Autoencoders are Unified
// Self-supervised Learners", 2023).
#pragma once

#include <utility>

#include <diffsiam/core/error.hpp>
#include <diffsiam/core/philox.hpp>
#include <diffsiam/diffusion/noise_schedule.hpp>
#include <diffsiam/diffusion/noising.hpp>
#include <diffsiam/diffusion/sampler.hpp>
#include <diffsiam/ops/reshape.hpp>
#include <diffsiam/unet/unet.hpp>

namespace diffsiam::model {

/// The activations at the end of the denoiser's down path for pictures noised to time-step t, flattened:
/// (n, h, w, c) -> (n, latent_dims()). An encoder for eval::encode(); eval::Pca brings its many dims to few.
/// Pictures at the same place of a batch get the same noise, so features depend on how pictures are batched.
template <class B>
class DenoiserActivations {
 public:
  using Backend = B;

  /// For pictures (h, w); `rng` draws the noise. Throws RangeError for t outside [0, T), ShapeError for sides
  /// that the denoiser cannot halve.
  DenoiserActivations(unet::UNet<B> denoiser, diffusion::NoiseSchedule schedule, int t, Index h, Index w,
                      Rng rng = {.seed = 0, .stream = 60})
      : denoiser_(std::move(denoiser)), schedule_(std::move(schedule)), t_(t), h_(h), w_(w), rng_(rng) {
    if (t < 0 || t >= schedule_.timesteps())
      fail<RangeError>("DenoiserActivations", {"a time-step in [0, ", schedule_.timesteps(), ")"}, t);
    denoiser_.config().require_input({1, h, w, denoiser_.config().in_channels}, {1});
  }

  /// Throws ShapeError for pictures of another size or with other channels.
  [[nodiscard]] Tensor<B> operator()(Tensor<B> const& x) const {
    Index const n = x.shape().samples();
    require_shape("DenoiserActivations", {n, h_, w_, denoiser_.config().in_channels}, x.shape(),
                  "(n, h, w, c)");
    auto const t = diffusion::same_timestep<B>(x.context(), n, t_);
    auto const noise = diffusion::normal<B>(x.context(), x.shape(), rng_);
    auto const x_t = diffusion::add_noise(schedule_, x, t, noise);
    return ops::flatten(denoiser_.down()(x_t, denoiser_.time_embedding()(t)).front());
  }
  /// Channels times height times width at the end of the down path.
  [[nodiscard]] Index latent_dims() const {
    auto const& config = denoiser_.config();
    Index const lowest = config.levels() - 1;
    return config.channels(lowest) * (h_ >> lowest) * (w_ >> lowest);
  }

 private:
  unet::UNet<B> denoiser_;
  diffusion::NoiseSchedule schedule_;
  int t_;
  Index h_, w_;
  Rng rng_;
};

}  // namespace diffsiam::model
