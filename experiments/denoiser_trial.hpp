// A denoiser trained with given settings, and how good it is: by its loss on pictures that it has not seen,
// and by the samples that it draws.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include <diffsiam/diffusion/weighting.hpp>
#include <diffsiam/eval/frechet.hpp>
#include <diffsiam/loss/denoising.hpp>
#include <diffsiam/model/timestep_losses.hpp>

#include <experiments/features.hpp>
#include <experiments/support/report.hpp>

namespace experiments {

/// The defaults are the main job's.
struct DenoiserRecipe {
  std::uint64_t steps = 1100;
  ds::Index batch = 32, base = 16;
  double rate = 2e-3;
  double min_snr = 0;
  ds::Index samples = 500;
  int sampling_steps = 50;
  double eta = 0;
  ds::diffusion::PredictionTarget target = ds::diffusion::PredictionTarget::eps;

  /// See settings.hpp.
  template <class Self, class F>
  static void for_each_setting(Self& self, F&& f) {
    f("steps", self.steps, 1, most_steps, "of training");
    f("batch", self.batch, 1, 4096, "pictures of a step");
    f("base", self.base, 8, 1024, "channels of the first level, a multiple of 8");
    f("rate", self.rate, 1e-9, 10, "learning rate");
    f("min_snr", self.min_snr, 0, 1e6, "weights the error of x_0 by min(SNR, this); 0: the plain loss");
    f("samples", self.samples, 2, 100'000, "that are drawn and measured");
    f("sampling_steps", self.sampling_steps, 1, 1000, "of DDIM");
    f("eta", self.eta, 0, 1, "of DDIM: 0 adds no noise on the way, 1 as much as DDPM");
  }
};

/// Mean square errors over time-steps, pictures and pixels.
struct DenoiserErrors {
  double eps = 0;
  double x_0 = 0;  ///< of x_0^; the noisiest steps decide it
};

/// Samples, and how far they are from all test pictures.
struct JudgedSamples {
  ds::Tensor<B> samples;       ///< (count, h, w, c)
  double frechet = 0;          ///< in features of k-means patches
  double frechet_of_real = 0;  ///< the same from as many validation pictures
};

namespace detail {

/// lambda_t of an error of the target: that of min-SNR, which is stated for eps, or 1.
struct TargetWeight {
  double min_snr;
  ds::diffusion::PredictionTarget target;

  double operator()(ds::NoiseSchedule const& schedule, int t) const {
    if (min_snr == 0) return 1;
    using enum ds::diffusion::PredictionTarget;
    double const of_eps = ds::diffusion::MinSnr{min_snr}(schedule, t);
    double const snr = schedule.snr()[static_cast<std::size_t>(t)];
    // An error of x_0 is one of eps divided by the SNR; one of v is one of eps times (SNR + 1)/SNR.
    return target == eps ? of_eps : target == x_0 ? of_eps * snr : of_eps * snr / (snr + 1);
  }
};

}  // namespace detail

/// The averaged weights of training on all training pictures.
inline void train_trial(Run const& run, DenoiserRecipe const& recipe, ds::NoiseSchedule const& schedule,
                        ds::UNet<B> const& denoiser) {
  ds::loss::Denoising const denoising{schedule, recipe.target,
                                      detail::TargetWeight{recipe.min_snr, recipe.target}};
  auto const loss = [&](ds::Tape<B>& tape, ds::data::Batch const& batch, ds::train::MicroBatch const& at) {
    auto const images = images_of(*run.context, batch, recipe.batch);
    auto const noised = ds::add_noise(schedule, images, at.rng);
    return denoising(denoiser(tape.input(noised.x_t), noised.t), images, noised);
  };
  (void)train_module(
      run, denoiser, {.batch_size = recipe.batch, .seed = run.seed, .flip = run.data->set->flip},
      [](std::uint64_t) {}, loss);
}

/// On the first validation pictures, at every 25th time-step.
[[nodiscard]] inline DenoiserErrors denoiser_errors(Run const& run, ds::NoiseSchedule const& schedule,
                                                    ds::diffusion::PlainNoise<ds::UNet<B>> const& predict) {
  std::vector<int> steps;
  for (int t = 12; t < schedule.timesteps(); t += 25) steps.push_back(t);
  auto const& unseen = run.data->pictures.validation;
  auto const x_0 = images_of(*run.context, unseen.slice(0, std::min<ds::Index>(500, unseen.size())));
  auto const losses =
      ds::model::timestep_losses(schedule, predict, x_0, steps, {.rng = {.seed = 0, .stream = 920}});
  DenoiserErrors errors;
  for (auto const& at : losses) {
    auto const share = at.denoiser / static_cast<double>(losses.size());
    errors.eps += share;
    errors.x_0 += share / schedule.snr()[static_cast<std::size_t>(at.t)];
  }
  return errors;
}

/// Pictures in units (n, h, w, c) as a data set of bytes, clipped and rounded like those of files.
[[nodiscard]] inline ds::data::Dataset dataset_of(ds::Tensor<B> const& images) {
  std::vector<std::uint8_t> pixels;
  for (auto const& picture : pictures_of(images))
    pixels.insert(pixels.end(), picture.pixels.begin(), picture.pixels.end());
  return ds::data::Dataset::from(pixels, images.shape());
}

/// Samples of DDIM. Patches tell noise and torn edges from clean ones. Few samples have a bias upwards, so
/// there must be as many validation pictures.
[[nodiscard]] inline JudgedSamples judged_samples(Run const& run, ds::NoiseSchedule const& schedule,
                                                  ds::diffusion::PlainNoise<ds::UNet<B>> const& predict,
                                                  DenoiserRecipe const& recipe) {
  auto const& [train, validation, test] = run.data->pictures;
  auto const x_T = ds::diffusion::normal<B>(*run.context, test.shape().with_samples(recipe.samples),
                                            {.seed = run.seed, .stream = 921});
  auto const samples =
      ds::ddim_sample<B>(schedule, ds::TimeGrid::linspace(schedule.timesteps(), recipe.sampling_steps), x_T,
                         predict, {.eta = recipe.eta, .rng = {.seed = run.seed, .stream = 923}});
  ds::ThreadPool& threads = run.context->threads();
  PatchDictionary const patches{train, 32, {.seed = 0, .stream = 922}, threads};
  auto const moments = [&](ds::data::Dataset const& pictures) {
    auto const features = patches.features(pictures, threads);
    return ds::eval::FrechetMoments::of(
        features_of(features, static_cast<ds::Index>(features.size()) / pictures.size()), &threads);
  };
  auto const real = moments(test);
  return {samples, ds::eval::frechet_distance(real, moments(dataset_of(samples))),
          ds::eval::frechet_distance(real, moments(validation.slice(0, recipe.samples)))};
}

}  // namespace experiments
