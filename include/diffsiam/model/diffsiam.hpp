// DiffSiam: a frozen denoiser, an encoder and a shift decoder with one schedule and one partition. Every
// function that reads z is here, so none can forget the partition.
#pragma once

#include <utility>

#include <diffsiam/core/text.hpp>
#include <diffsiam/diffusion/ddim.hpp>
#include <diffsiam/diffusion/ddpm.hpp>
#include <diffsiam/encoder/modular_encoder.hpp>
#include <diffsiam/encoder/reveal.hpp>
#include <diffsiam/loss/diffusion_loss.hpp>
#include <diffsiam/model/guided_noise.hpp>
#include <diffsiam/unet/shift_decoder.hpp>

namespace diffsiam::model {

/// Copies share their weights. Images are (n, h, w, c) in [-1, 1], latents z (n, dims).
template <class B, class Encoder = encoder::ModularEncoder<B>, class Decoder = unet::ShiftDecoder<B>>
class DiffSiam {
 public:
  using Backend = B;
  /// What training and sampling share.
  struct Config {
    diffusion::NoiseSchedule schedule =
        diffusion::NoiseSchedule::linear();                              ///< the SNR is above 0 at every step
    encoder::GradientMode gradient_mode = encoder::GradientMode::joint;  ///< of diffusion_loss()

    template <class Self, class F>
    static void for_each_field(Self& self, F&& f) {
      f("schedule", self.schedule);
      f("gradient_mode", self.gradient_mode);
    }
  };

  /// The partition is that of the encoder. The weighting is that of the diffusion loss, by default PDAE's.
  /// Throws ConfigError if encoder, decoder and schedule do not fit each other, and with zero terminal SNR,
  /// because the decoder shifts eps, which has no meaning there.
  template <diffusion::Weighting W = diffusion::SnrPower>
  DiffSiam(Encoder encoder, Decoder decoder, Config config = {}, W const& weighting = {})
      : config_(with_signal(std::move(config))),
        encoder_(std::move(encoder)),
        decoder_(std::move(decoder)),
        loss_(config_.schedule, weighting) {
    if (encoder_.latent_dims() != decoder_.latent_dims()) {
      fail<ConfigError>("DiffSiam", {"an encoder of ", decoder_.latent_dims(), " dims, as the decoder reads"},
                        {encoder_.latent_dims(), " dims"});
    }
    if (partition().timesteps() != config_.schedule.timesteps()) {
      fail<ConfigError>("DiffSiam",
                        {"a partition of the schedule's ", config_.schedule.timesteps(), " time-steps"},
                        partition().timesteps());
    }
  }

  /// What it was built with, the weighting of the loss excepted.
  [[nodiscard]] Config const& config() const& { return config_; }
  [[nodiscard]] Config config() const&& { return config_; }
  /// Of T time-steps, as many as the partition has.
  [[nodiscard]] diffusion::NoiseSchedule const& schedule() const& { return config_.schedule; }
  [[nodiscard]] diffusion::NoiseSchedule schedule() const&& { return config_.schedule; }
  /// Which columns of z are revealed at which time-step: that of the encoder.
  [[nodiscard]] encoder::TimestepPartition const& partition() const& { return encoder_.partition(); }
  [[nodiscard]] encoder::TimestepPartition partition() const&& { return encoder_.partition(); }
  /// Images -> z, with the weights of this model.
  [[nodiscard]] Encoder const& encoder() const& { return encoder_; }
  [[nodiscard]] Encoder encoder() const&& { return encoder_; }
  /// (x_t, t, z) -> eps and gradient; it holds the frozen denoiser.
  [[nodiscard]] Decoder const& decoder() const& { return decoder_; }
  [[nodiscard]] Decoder decoder() const&& { return decoder_; }

  /// z of images, which may be plain, taped or traced.
  template <FlowingValue X>
  [[nodiscard]] auto encode(X const& x_0) const {
    return encoder_(x_0);
  }

  /// The diffusion loss of latents z, taped or plain, for x_t, t and noise: rank 0. In the dual mode it is
  /// the sum of two losses.
  template <FlowingValue Z>
  [[nodiscard]] auto diffusion_loss(Z const& z, diffusion::Noised<typename Z::Backend> const& noised) const {
    using encoder::GradientMode;
    if (config_.gradient_mode != GradientMode::dual) return loss_in(config_.gradient_mode, z, noised);
    return ops::add(loss_in(GradientMode::joint, z, noised),
                    loss_in(GradientMode::stop_preceding, z, noised));
  }
  /// The loss of the denoiser alone for the same x_t, t and noise, in the same weighting.
  template <class V>
  [[nodiscard]] Tensor<V> denoiser_loss(diffusion::Noised<V> const& noised) const {
    return loss_(decoder_.without_latent(noised.x_t, noised.t), noised);
  }

  /// The predictor for samplers with these latents.
  template <class V>
  [[nodiscard]] GuidedNoise<Decoder, V> guided(Tensor<V> const& z, Guidance guidance = {}) const {
    return {decoder_, config_.schedule, partition(), z, guidance};
  }

  /// x_T and z -> images.
  template <class V, class Progress = diffusion::NoProgress>
  [[nodiscard]] Tensor<V> sample(Tensor<V> const& x_T, Tensor<V> const& z, diffusion::TimeGrid const& grid,
                                 diffusion::DdimOptions const& options = {}, Guidance guidance = {},
                                 Progress const& progress = {}) const {
    return diffusion::ddim_sample<V>(config_.schedule, grid, x_T, guided(z, guidance), options, progress);
  }
  /// The same by ancestral sampling over all T steps, with the coefficient of training.
  template <class V, class Progress = diffusion::NoProgress>
  [[nodiscard]] Tensor<V> sample_ancestral(Tensor<V> const& x_T, Tensor<V> const& z,
                                           diffusion::DdpmOptions const& options = {},
                                           Progress const& progress = {}) const {
    return diffusion::ddpm_sample<V>(
        config_.schedule, x_T, guided(z, {.coefficient = ShiftCoefficient::posterior}), options, progress);
  }
  /// Images and z -> x_T.
  template <class V, class Progress = diffusion::NoProgress>
  [[nodiscard]] Tensor<V> infer_noise(Tensor<V> const& x_0, Tensor<V> const& z,
                                      diffusion::TimeGrid const& grid,
                                      diffusion::DdimOptions const& options = {},
                                      Progress const& progress = {}) const {
    return diffusion::ddim_encode<V>(config_.schedule, grid, x_0, guided(z), options,
                                     diffusion::EncodeEnd::stay_on_grid, progress);
  }
  /// Images -> z and x_T -> images: the reconstruction from z and the inferred noise x_T.
  template <class V>
  [[nodiscard]] Tensor<V> reconstruct(Tensor<V> const& x_0, diffusion::TimeGrid const& grid,
                                      diffusion::DdimOptions const& options = {}) const {
    Tensor<V> const z = encode(x_0);
    return sample(infer_noise(x_0, z, grid, options), z, grid, options);
  }
  /// Images -> z, decoded from random x_T: shows what z alone holds.
  template <class V>
  [[nodiscard]] Tensor<V> reconstruct_from_random(Tensor<V> const& x_0, diffusion::TimeGrid const& grid,
                                                  Rng const& rng,
                                                  diffusion::DdimOptions const& options = {}) const {
    return sample(diffusion::normal<V>(x_0.context(), x_0.shape(), rng), encode(x_0), grid, options);
  }
  /// A preview that costs one evaluation: one denoising step from x_t to the predicted x_0^, clipped. t is
  /// the same for all samples. Uses the coefficient of training.
  template <class V>
  [[nodiscard]] Tensor<V> preview(Tensor<V> const& x_t, int t, Tensor<V> const& z) const {
    schedule().require_timestep(t, "preview");
    // A hop to abar = 1 leaves only x_0^.
    diffusion::Hop const hop{t, schedule().abar(t), 1, true};
    return diffusion::follow_hops<V>(std::span{&hop, 1}, x_t,
                                     guided(z, {.coefficient = ShiftCoefficient::posterior}), {},
                                     diffusion::NoProgress{});
  }

  template <class F>
  void for_each_child(F&& f) const {
    f(nn::ChildName{"encoder"}, encoder_);
    f(nn::ChildName{"decoder"}, decoder_);
  }
  template <class F>
  void for_each_setting(F&& f) const {
    f("betas", schedule().betas());
    partition().for_each_setting(f);  // an encoder of your own may not name it
  }

 private:
  [[nodiscard]] static Config with_signal(Config config) {
    config.schedule.require_signal("DiffSiam");
    return config;
  }

  template <FlowingValue Z>
  [[nodiscard]] auto loss_in(encoder::GradientMode mode, Z const& z,
                             diffusion::Noised<typename Z::Backend> const& noised) const {
    auto const shifted = decoder_(noised.x_t, noised.t, encoder::reveal(partition(), z, noised.t, mode));
    return loss_(shifted.eps, shifted.gradient, noised);
  }

  Config config_;
  Encoder encoder_;
  Decoder decoder_;
  loss::ShiftedNoise loss_;
};

}  // namespace diffsiam::model
