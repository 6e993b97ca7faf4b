// The report of the main job: one page with curves, pictures and tables.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <string>
#include <vector>

#include <diffsiam/report/html_report.hpp>
#include <diffsiam/report/metric_series.hpp>
#include <diffsiam/train/stage.hpp>

#include <experiments/support/measures.hpp>

namespace experiments {

/// All that was measured.
struct Results {
  std::vector<std::pair<std::string, Score>> scores;  ///< by kind of feature, ours first
  std::vector<SubsetScore> subsets;
  DiffusionScore diffusion;
  std::vector<ds::model::TimestepLoss> by_timestep;
  ds::eval::SubsetFactorMap map;  ///< of subsets by classes
  ds::train::StageSpeed denoiser_speed, diffsiam_speed;
};

template <class B>
[[nodiscard]] std::vector<ds::io::Picture> pictures_of(ds::Tensor<B> const& images) {
  return ds::io::pictures_from_unit(images);
}
/// Rows of pictures under each other, a row a batch.
template <class B>
[[nodiscard]] ds::io::Picture rows_of(std::vector<ds::Tensor<B>> const& rows) {
  std::vector<ds::io::Picture> all;
  for (auto const& row : rows) {
    auto const pictures = pictures_of(row);
    all.insert(all.end(), pictures.begin(), pictures.end());
  }
  return ds::io::grid(all, static_cast<int>(rows.front().shape().samples()), 2);
}

/// Reconstructions of test pictures, one of each class first: originals; from z and the inferred x_T; from z
/// and random x_T, three times; from the denoiser alone and the same random x_T.
template <class B>
[[nodiscard]] ds::io::Picture reconstructions(typename B::Context& context, ds::DiffSiam<B> const& model,
                                              ds::Tensor<B> const& images, RunConfig const& config) {
  auto const grid = ds::TimeGrid::linspace(1000, config.sampling_steps);
  std::vector<ds::Tensor<B>> rows{images, model.reconstruct(images, grid)};
  for (std::uint64_t draw = 0; draw < 3; ++draw) {
    rows.push_back(
        model.reconstruct_from_random(images, grid, {.seed = config.seed, .stream = 50, .step = draw}));
  }
  ds::diffusion::PlainNoise const plain{model.decoder().denoiser(), model.schedule()};
  auto const x_T =
      ds::diffusion::normal<B>(context, images.shape(), {.seed = config.seed, .stream = 50, .step = 0});
  rows.push_back(ds::ddim_sample<B>(model.schedule(), grid, x_T, plain));
  return rows_of(rows);
}

/// The first `each` test pictures of every class, class by class.
template <class B>
[[nodiscard]] ds::Tensor<B> one_of_each(typename B::Context& context, ds::data::Dataset const& pictures,
                                        int each = 1) {
  std::vector<ds::Index> chosen;
  for (int label = 0; label < pictures.classes(); ++label) {
    int found = 0;
    for (ds::Index i = 0; i < pictures.size() && found < each; ++i) {
      if (pictures.label(i) == label) chosen.push_back(i), ++found;
    }
  }
  auto const part = pictures.subset(chosen);
  auto const units = part.units();
  return ds::Tensor<B>::from(context, part.shape(), std::span<float const>{units});
}

/// What each subset says of the class, alone and with those before it.
[[nodiscard]] inline ds::report::HeatMap subset_map(ds::eval::SubsetFactorMap const& map) {
  ds::report::HeatMap picture{.title = "What each subset knows of the class",
                              .x_label = "subset, from fine (small time-steps) to coarse",
                              .rows = {"alone", "with those before"},
                              .value_label = "class told apart",
                              .decimals = 2};
  for (ds::Index i = 1; i <= map.subsets; ++i) picture.columns.push_back(std::to_string(i));
  picture.values = map.alone;
  picture.values.insert(picture.values.end(), map.prefix.begin(), map.prefix.end());
  return picture;
}

[[nodiscard]] inline std::string percent(double value) {
  return ds::io::format_fixed(100 * value, 1);
}

template <class B>
void write_report(typename B::Context& context, ds::DiffSiam<B> const& model, Pictures const& pictures,
                  RunConfig const& config, Results const& results, std::filesystem::path const& folder,
                  double seconds) {
  ds::report::HtmlReport report{
      {.title = "DiffSiam on Fashion-MNIST",
       .intro = "A denoiser is trained first and frozen. Then an encoder and a shift decoder learn what the "
                "denoiser "
                "can no longer restore at each time-step, in " +
                std::to_string(config.subsets) + " subsets of " + std::to_string(config.latent_dims) +
                " features, while NT-Xent joins two views of each picture. Run " + config.name + ", seed " +
                std::to_string(config.seed) + ", " + ds::io::format_fixed(seconds / 60, 1) +
                " minutes from the start of training to this page."}};

  ds::report::Table table{.header = {"features", "dims", "linear probe %", "k-NN (k = 20) %"},
                          .rows = {},
                          .caption =
                              "Accuracy on the 10,000 test pictures. The probe's weight decay and step are "
                              "chosen on 5,000 validation pictures."};
  std::array<std::string, 4> const dims{
      std::to_string(config.latent_dims), std::to_string(config.latent_dims),
      std::to_string(config.latent_dims), std::to_string(pictures.train.image_size())};
  for (std::size_t i = 0; i < results.scores.size(); ++i) {
    auto const& [name, s] = results.scores[i];
    table.rows.push_back({name, dims[i], percent(s.linear_probe), percent(s.knn)});
  }
  auto& features = report.section("What the features know");
  features.table(table);
  ds::report::Series by_subset{.name = "linear probe", .x = {}, .y = {}};
  ds::report::Table subsets{.header = {"first subsets", "dims", "linear probe %"},
                            .rows = {},
                            .caption = "Subset 1 belongs to the smallest time-steps: the finest attributes."};
  for (auto const& s : results.subsets) {
    by_subset.x.push_back(s.subsets);
    by_subset.y.push_back(100 * s.linear_probe);
    subsets.rows.push_back({std::to_string(s.subsets), std::to_string(s.dims), percent(s.linear_probe)});
  }
  features.chart({.title = "Accuracy when only the first m subsets are read",
                  .x_label = "subsets m",
                  .y_label = "%",
                  .markers = true,
                  .series = {by_subset}});
  features.table(subsets);
  features.heat_map(subset_map(results.map),
                    "(accuracy - chance)/(1 - chance) of a linear discriminant on test pictures: 0 is "
                    "guessing, 1 is never wrong.");

  auto& losses = report.section("What was lost, and what z gives back");
  losses.table({.header = {"on held-out pictures", "diffusion loss"},
                .rows = {{"denoiser alone", ds::io::format_fixed(results.diffusion.denoiser, 5)},
                         {"DiffSiam", ds::io::format_fixed(results.diffusion.diffsiam, 5)},
                         {"DiffSiam, z of another picture",
                          ds::io::format_fixed(results.diffusion.diffsiam_z_shuffled, 5)}},
                .caption = "Same time-steps and noise, same weighting."});
  ds::report::Series alone{.name = "denoiser", .x = {}, .y = {}}, ours{.name = "DiffSiam", .x = {}, .y = {}},
      gain{.name = "share of the loss that z takes away", .x = {}, .y = {}};
  for (auto const& s : results.by_timestep) {
    for (auto* series : {&alone, &ours, &gain}) series->x.push_back(s.t);
    alone.y.push_back(s.denoiser);
    ours.y.push_back(s.shifted);
    gain.y.push_back(100 * s.gain() / s.denoiser);
  }
  losses.chart({.title = "Loss by time-step",
                .x_label = "t",
                .y_label = "mean squared error of eps",
                .log_y = true,
                .series = {alone, ours}});
  losses.chart({.title = "Gain by time-step", .x_label = "t", .y_label = "%", .series = {gain}});

  ds::Tensor<B> const shown = one_of_each<B>(context, pictures.test);
  auto& images = report.section("Pictures");
  auto const rebuilt = reconstructions(context, model, shown, config);
  ds::io::write_png(folder / "reconstructions.png", ds::io::upscale(rebuilt, 2));
  images.picture(rebuilt,
                 {.caption = "From above: test pictures; from z and the inferred x_T; from z and three "
                             "random x_T; the denoiser alone from the first of these x_T.",
                  .scale = 2});
  auto const grid = ds::TimeGrid::linspace(1000, config.sampling_steps);
  ds::Tensor<B> const x_T =
      ds::diffusion::normal<B>(context, {40, shown.shape()[1], shown.shape()[2], shown.shape()[3]},
                               {.seed = config.seed, .stream = 51});
  auto const samples = pictures_of(ds::ddim_sample<B>(
      model.schedule(), grid, x_T, ds::diffusion::PlainNoise{model.decoder().denoiser(), model.schedule()}));
  images.picture(
      ds::io::grid(samples, 10, 2),
      {.caption = "Samples of the denoiser, " + std::to_string(config.sampling_steps) + " DDIM steps.",
       .scale = 2});

  auto& curves = report.section("Training");
  curves.chart({.title = "Denoiser",
                .x_label = "step",
                .y_label = "loss",
                .log_y = true,
                .series = {ds::report::metric_series(folder / "denoiser.metrics.jsonl", "loss",
                                                     "mean squared error of eps")}});
  curves.chart({.title = "DiffSiam, diffusion half",
                .x_label = "step",
                .y_label = "loss",
                .series = {ds::report::metric_series(folder / "diffsiam.metrics.jsonl", "diffusion",
                                                     "weighted loss")}});
  curves.chart(
      {.title = "DiffSiam, siamese half",
       .x_label = "step",
       .y_label = "loss",
       .series = {ds::report::metric_series(folder / "diffsiam.metrics.jsonl", "nt_xent", "NT-Xent")}});
  ds::report::Series probe_curve =
      ds::report::metric_series(folder / "probe.metrics.jsonl", "validation_accuracy", "linear probe");
  for (double& y : probe_curve.y) y *= 100;
  curves.chart({.title = "What the features know while they are learned",
                .x_label = "step",
                .y_label = "% of validation pictures",
                .markers = true,
                .series = {probe_curve}},
               "From 10,000 training pictures.");
  curves.text("Denoiser: " + std::to_string(static_cast<int>(results.denoiser_speed.images_per_second)) +
              " images a second. DiffSiam: " +
              std::to_string(static_cast<int>(results.diffsiam_speed.images_per_second)) +
              " images a second, the siamese half beside.");
  report.section("Settings").preformatted(config.json().dump(2));
  report.write(folder / "report.html");
}

}  // namespace experiments
