// The latent model: a diffusion over z itself. It draws a new z, which is then decoded to a new picture
// (Diff-AE, Preechakul et al., CVPR 2022, arXiv 2111.15640). z is standardised, beta is 0.008 at each of 1000
// steps, and the loss is absolute. x_0^ is not a picture here and is never clipped.
#pragma once

#include <utility>

#include <diffsiam/core/text.hpp>
#include <diffsiam/diffusion/ddim.hpp>
#include <diffsiam/diffusion/ddpm.hpp>
#include <diffsiam/loss/latent_noise.hpp>
#include <diffsiam/model/latent_denoiser.hpp>
#include <diffsiam/model/latent_standardisation.hpp>
#include <diffsiam/value/taped.hpp>

namespace diffsiam::model {

/// Training and sampling with one schedule and one standardisation. As the loss function of a step:
/// [&](Tape<B>& tape, MicroBatch const& at) { return latent.loss(tape, z, at.rng); }
template <class B, class Denoiser = LatentDenoiser<B>, class Loss = loss::LatentNoise>
class LatentDiffusion {
 public:
  using Backend = B;
  struct Config {
    diffusion::NoiseSchedule schedule = diffusion::NoiseSchedule::constant();  ///< of the noise on z
  };

  /// Copies share their weights. The denoiser must be as wide as the standardisation, and it predicts eps:
  /// throws ConfigError for a schedule with zero terminal SNR.
  LatentDiffusion(Denoiser denoiser, LatentStandardisation<B> standardisation, Config config = {},
                  Loss loss = {})
      : config_(std::move(config)),
        denoiser_(std::move(denoiser)),
        standardisation_(std::move(standardisation)),
        loss_(std::move(loss)) {
    config_.schedule.require_signal("LatentDiffusion");
  }

  [[nodiscard]] diffusion::NoiseSchedule const& schedule() const& { return config_.schedule; }
  [[nodiscard]] diffusion::NoiseSchedule schedule() const&& { return config_.schedule; }
  [[nodiscard]] LatentStandardisation<B> const& standardisation() const& { return standardisation_; }
  [[nodiscard]] LatentStandardisation<B> standardisation() const&& { return standardisation_; }
  [[nodiscard]] Denoiser const& denoiser() const& { return denoiser_; }
  [[nodiscard]] Denoiser denoiser() const&& { return denoiser_; }

  /// The loss of latents z (n, dims), as the encoder returns them, with time-steps and noise from `rng`: rank
  /// 0.
  [[nodiscard]] Taped<B> loss(Tape<B>& tape, Tensor<B> const& z, Rng const& rng) const {
    auto const noised = noised_from(z, rng);
    return loss_(denoiser_(tape.input(noised.x_t), noised.t), noised);
  }
  /// The same without a tape, for held-out latents.
  [[nodiscard]] Tensor<B> loss(Tensor<B> const& z, Rng const& rng) const {
    auto const noised = noised_from(z, rng);
    return loss_(denoiser_(noised.x_t, noised.t), noised);
  }

  /// `count` new latents (count, dims) by DDIM, on the scale of the encoder; eta as in DdimOptions. Leading
  /// and trailing grids end without noise. A linspace grid ends at abar(0), and with beta_0 = 0.008 noise
  /// with a deviation of 0.09 is left.
  template <class Progress = diffusion::NoProgress>
  [[nodiscard]] Tensor<B> sample(Index count, Rng const& rng, diffusion::TimeGrid const& grid, double eta = 0,
                                 Progress const& progress = {}) const {
    return standardisation_.restored(diffusion::ddim_sample<B>(
        schedule(), grid, noise(count, rng), predictor(), {.eta = eta, .clip = false, .rng = rng}, progress));
  }
  /// The same by ancestral sampling over all steps.
  template <class Progress = diffusion::NoProgress>
  [[nodiscard]] Tensor<B> sample_ancestral(Index count, Rng const& rng, Progress const& progress = {}) const {
    return standardisation_.restored(diffusion::ddpm_sample<B>(schedule(), noise(count, rng), predictor(),
                                                               {.clip = false, .rng = rng}, progress));
  }

  template <class F>
  void for_each_child(F&& f) const {
    f(nn::ChildName{"denoiser", ""}, denoiser_);
  }
  template <class F>
  void for_each_setting(F&& f) const {
    f("betas", schedule().betas());
    standardisation_.for_each_setting(f);
  }

 private:
  [[nodiscard]] diffusion::Noised<B> noised_from(Tensor<B> const& z, Rng const& rng) const {
    return diffusion::add_noise(schedule(), standardisation_.standardised(z), rng);
  }
  [[nodiscard]] Tensor<B> noise(Index count, Rng const& rng) const {
    if (count < 1) fail<RangeError>("LatentDiffusion", "at least one latent to sample", count);
    return diffusion::normal<B>(standardisation_.context(), {count, standardisation_.dims()},
                                diffusion::stream_of(rng, diffusion::Stream::noise));
  }
  [[nodiscard]] auto predictor() const { return diffusion::PlainNoise{denoiser_, schedule()}; }

  Config config_;
  Denoiser denoiser_;
  LatentStandardisation<B> standardisation_;
  Loss loss_;
};

}  // namespace diffsiam::model
