// New pictures: of the denoiser alone, and of z drawn by a latent diffusion and decoded. Their measure is the
// Frechet distance to test pictures in the features of the judge.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include <diffsiam/eval/standardise.hpp>
#include <diffsiam/model/latent_diffusion.hpp>

#include <experiments/editing/frechet_scale.hpp>
#include <experiments/editing/studio.hpp>

namespace experiments {

/// Pictures of one kind and how far they are from test pictures.
struct Generated {
  std::string kind;
  double frechet = 0;
  ds::io::Picture pictures{};
};

[[nodiscard]] inline Generated judged(Studio const& studio, FrechetScale const& scale, std::string kind,
                                      ds::Tensor<B> const& images) {
  auto const shown = std::min(2 * studio.settings.shown, images.shape().samples());
  return {std::move(kind), scale(images),
          ds::io::grid(pictures_of(images.samples(0, shown)), static_cast<int>(studio.settings.shown), 2)};
}

/// Samples of the denoiser, unconditional.
[[nodiscard]] inline Generated denoiser_samples(Studio const& studio, FrechetScale const& scale,
                                                ds::UNet<B> const& denoiser) {
  ds::NoiseSchedule const schedule = ds::NoiseSchedule::linear();
  auto const x_T = studio.noise(studio.settings.pictures, 61);
  return judged(studio, scale, "the denoiser",
                ds::ddim_sample<B>(schedule, studio.grid(), x_T,
                                   ds::diffusion::PlainNoise{denoiser, schedule}, studio.with_noise(66)));
}

/// A diffusion over z (count, dims) of the first training pictures.
[[nodiscard]] inline ds::model::LatentDiffusion<B> trained_latent(Studio const& studio,
                                                                  TrainedMethod const& method,
                                                                  FeatureSet const& z) {
  auto const count = static_cast<ds::Index>(z.train.size()) / z.dims;
  auto const standardiser = ds::eval::Standardiser::fit(features_of(z.train, z.dims));
  ds::model::LatentDiffusion<B> latent{{*studio.context, {.dims = z.dims, .hidden = 256, .layers = 6}},
                                       {*studio.context, standardiser.mean(), standardiser.scale()}};
  ExperimentData known = *studio.data;
  known.pictures.train = known.pictures.train.slice(0, count);
  Run const run{studio.context,          &known,
                method.name + "_latent", {.steps = studio.settings.latent_steps},
                studio.folder,           studio.settings.seed};
  auto const codes = ds::Tensor<B>::from(*studio.context, {count, z.dims}, std::span<float const>{z.train});
  // The loader's order of pictures is that of their z.
  auto const loss = [&](ds::Tape<B>& tape, ds::data::Batch const& batch, ds::train::MicroBatch const& at) {
    return latent.loss(tape, rows(codes, batch.indices), at.rng);
  };
  ds::data::LoaderConfig const loading{.batch_size = std::min<ds::Index>(256, count), .seed = run.seed + 5};
  (void)train_module(run, latent, loading, [](std::uint64_t) {}, loss);
  return latent;
}

/// z from the latent diffusion, decoded from random x_T.
[[nodiscard]] inline Generated latent_samples(Studio const& studio, FrechetScale const& scale,
                                              TrainedMethod const& method, FeatureSet const& z) {
  constexpr int latent_sampling_steps = 100;
  auto const latent = trained_latent(studio, method, z);
  ds::Index const count = studio.settings.pictures;
  auto const drawn =
      latent.sample(count, {.seed = studio.settings.seed, .stream = 62},
                    ds::TimeGrid::leading(latent.schedule().timesteps(), latent_sampling_steps));
  return judged(studio, scale, "z drawn, " + method.name, method.decode_at_random(studio, drawn));
}

inline void show_samples(ds::report::HtmlReport& report, std::filesystem::path const& folder,
                         Generated const& samples) {
  auto& section = report.section("1 Samples of the denoiser");
  section.text("Frechet distance " + figure(samples.frechet, 2) + "; section 6 compares it.");
  show(section, folder, "samples_denoiser", samples.pictures, "From random x_T, without any z.");
}

inline void show_generated(ds::report::HtmlReport& report, std::filesystem::path const& folder,
                           std::vector<Generated> const& drawn, std::vector<Generated> const& compared) {
  auto& section = report.section("6 New pictures from drawn z");
  ds::report::Table table{.header = {"pictures", "Frechet distance"},
                          .rows = {},
                          .caption =
                              "To all test pictures, in the judge's features. Equal counts of pictures, "
                              "so that the bias of few is the same for all."};
  for (Generated const& g : compared) table.rows.push_back({g.kind, figure(g.frechet, 2)});
  section.table(table);
  for (std::size_t i = 0; i < drawn.size(); ++i)
    show(section, folder, "samples_latent_" + std::to_string(i), drawn[i].pictures, drawn[i].kind);
}

}  // namespace experiments
