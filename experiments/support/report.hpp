// The report of the main job: one page with curves, pictures and tables.
#pragma once

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include <diffsiam/data/to_tensor.hpp>
#include <diffsiam/report/html_report.hpp>
#include <diffsiam/report/metric_series.hpp>
#include <diffsiam/train/stage.hpp>

#include <experiments/support/run_measures.hpp>

namespace experiments {

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

/// DDIM that adds as much noise on the way as DDPM. Without it, mistakes at noisy steps stay until the end:
/// samples of a denoiser that was trained for minutes are speckled.
[[nodiscard]] inline ds::diffusion::DdimOptions with_noise(RunConfig const& config, std::uint32_t draw) {
  return {.eta = 1, .rng = {.seed = config.seed, .stream = 52 + draw}};
}

/// Reconstructions of test pictures, one of each class first: originals; from z and the inferred x_T; from z
/// and random x_T, three times; from the denoiser alone and the same random x_T.
template <class B>
[[nodiscard]] ds::io::Picture reconstructions(typename B::Context& context, ds::DiffSiam<B> const& model,
                                              ds::Tensor<B> const& images, RunConfig const& config) {
  auto const grid = ds::TimeGrid::linspace(1000, config.sampling_steps);
  std::vector<ds::Tensor<B>> rows{images, model.reconstruct(images, grid)};
  for (std::uint32_t draw = 0; draw < 3; ++draw) {
    rows.push_back(model.reconstruct_from_random(
        images, grid, {.seed = config.seed, .stream = 50, .step = draw}, with_noise(config, draw)));
  }
  ds::diffusion::PlainNoise const plain{model.decoder().denoiser(), model.schedule()};
  auto const x_T =
      ds::diffusion::normal<B>(context, images.shape(), {.seed = config.seed, .stream = 50, .step = 0});
  rows.push_back(ds::ddim_sample<B>(model.schedule(), grid, x_T, plain, with_noise(config, 0)));
  return rows_of(rows);
}

/// The first test picture of each class, of the first ten classes; without labels the first ten pictures.
[[nodiscard]] inline std::vector<ds::Index> shown_pictures(ds::data::Dataset const& pictures) {
  constexpr ds::Index most = 10;
  std::vector<ds::Index> chosen;
  if (!pictures.labelled()) {
    for (ds::Index i = 0; i < std::min(most, pictures.size()); ++i) chosen.push_back(i);
    return chosen;
  }
  auto const labels = pictures.labels();
  for (int label = 0; label < pictures.classes() && static_cast<ds::Index>(chosen.size()) < most; ++label)
    if (auto const found = std::find(labels.begin(), labels.end(), label); found != labels.end())
      chosen.push_back(found - labels.begin());
  return chosen;
}
/// A row for each of the shown pictures: itself, then those nearest to it among the test pictures by columns
/// [begin, end) of z.
[[nodiscard]] inline ds::io::Picture neighbour_rows(Results const& results, ds::data::Dataset const& test,
                                                    ds::Index dims, ds::encoder::Dims columns,
                                                    ds::ThreadPool& threads) {
  constexpr ds::Index across = 10;
  std::vector<float> part;
  for (auto row = results.z_test.begin(); row != results.z_test.end(); row += dims)
    part.insert(part.end(), row + columns.begin, row + columns.end);
  auto const features = features_of(part, columns.size());
  std::vector<ds::Index> rows;
  for (ds::Index const query : shown_pictures(test)) {
    auto const first = features.row(query);
    auto const nearest =
        ds::eval::nearest_neighbours(features, {{first, first + columns.size()}, 1, columns.size()},
                                     std::min(across, test.size()), &threads);
    for (auto const& neighbour : nearest.of(0)) rows.push_back(neighbour.index);
  }
  auto const set = test.subset(rows);
  auto const units = set.units();
  return ds::io::grid(ds::io::pictures_from_unit(
                          std::span{units}, static_cast<int>(rows.size()), static_cast<int>(test.height()),
                          static_cast<int>(test.width()), static_cast<int>(test.channels())),
                      static_cast<int>(std::min(across, test.size())), 2);
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

namespace detail {

inline void report_features(ds::report::ReportSection& section, Results const& results, RunData const& data) {
  bool const labelled = data.labelled();
  ds::report::Table table{.header = {"features", "dims"}, .rows = {}, .caption = {}};
  auto const& [train, validation, test] = data.pictures;
  if (labelled) {
    table.header.insert(table.header.end(), {"linear probe %", "k-NN (k = 20) %"});
    table.caption = ds::text({"Accuracy on the ", test.size(), " test pictures of ", test.classes(),
                              " classes. The probe's weight decay and step are chosen on ", validation.size(),
                              " validation pictures, and all are fitted to ", train.size(), "."});
  } else {
    table.header.push_back("view retrieval %");
    table.caption =
        "The pictures have no labels. Retrieval: of how many augmented views of test pictures the nearest "
        "picture is the one they were made of.";
  }
  for (FeatureScores const& each : results.features) {
    table.rows.push_back({each.name, std::to_string(each.dims)});
    if (each.labels)
      table.rows.back().insert(table.rows.back().end(),
                               {percent(each.labels->linear_probe), percent(each.labels->knn)});
    if (each.retrieval) table.rows.back().push_back(percent(*each.retrieval));
  }
  section.table(table);
  if (!labelled) return;
  ds::report::Series by_subset{.name = "linear probe", .x = {}, .y = {}};
  ds::report::Table subsets{.header = {"first subsets", "dims", "linear probe %"},
                            .rows = {},
                            .caption = "Subset 1 belongs to the smallest time-steps: the finest attributes."};
  for (auto const& s : results.subsets) {
    by_subset.x.push_back(s.subsets);
    by_subset.y.push_back(100 * s.linear_probe);
    subsets.rows.push_back({std::to_string(s.subsets), std::to_string(s.dims), percent(s.linear_probe)});
  }
  section.chart({.title = "Accuracy when only the first m subsets are read",
                 .x_label = "subsets m",
                 .y_label = "%",
                 .markers = true,
                 .series = {by_subset}});
  section.table(subsets);
  if (results.map)
    section.heat_map(subset_map(*results.map),
                     "(accuracy - chance)/(1 - chance) of a linear discriminant on test pictures: 0 is "
                     "guessing, 1 is never wrong.");
}

inline void report_losses(ds::report::ReportSection& section, Results const& results) {
  section.table({.header = {"on held-out pictures", "diffusion loss"},
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
  section.chart({.title = "Loss by time-step",
                 .x_label = "t",
                 .y_label = "mean squared error of eps",
                 .log_y = true,
                 .series = {alone, ours}});
  section.chart({.title = "Gain by time-step", .x_label = "t", .y_label = "%", .series = {gain}});
}

inline void report_neighbours(ds::report::ReportSection& section, Results const& results, RunData const& data,
                              ds::TimestepPartition const& partition, ds::ThreadPool& threads) {
  int const dims = partition.dims(), subsets = partition.subsets(), quarter = std::max(1, subsets / 4);
  section.text(
      "Each row begins with a test picture. The others are nearest to it by the cosine of the features that "
      "the "
      "heading names.");
  auto const add = [&](ds::encoder::Dims columns, char const* caption) {
    section.picture(neighbour_rows(results, data.pictures.test, dims, columns, threads),
                    {.caption = caption, .scale = data.pictures.test.height() > 40 ? 1 : 2});
  };
  add({0, dims}, "By all of z.");
  if (subsets < 4) return;
  add({0, partition.end(quarter - 1)}, "By the first quarter of the subsets: small time-steps.");
  add({partition.begin(subsets - quarter), dims}, "By the last quarter of the subsets: large time-steps.");
}

inline void report_training(ds::report::ReportSection& section, Results const& results,
                            std::filesystem::path const& folder, bool labelled) {
  auto const curve = [&](char const* stage, char const* metric, char const* name) {
    return ds::report::metric_series(folder / (std::string(stage) + ds::train::StageFiles::metrics), metric,
                                     name);
  };
  section.chart({.title = "Denoiser",
                 .x_label = "step",
                 .y_label = "loss",
                 .log_y = true,
                 .series = {curve("denoiser", "loss", "mean squared error of eps")}});
  section.chart({.title = "DiffSiam, diffusion half",
                 .x_label = "step",
                 .y_label = "loss",
                 .series = {curve("diffsiam", "diffusion", "weighted loss")}});
  section.chart({.title = "DiffSiam, siamese half",
                 .x_label = "step",
                 .y_label = "loss",
                 .series = {curve("diffsiam", "nt_xent", "NT-Xent")}});
  if (labelled) {
    ds::report::Series probe = curve("probe", "validation_accuracy", "linear probe");
    for (double& y : probe.y) y *= 100;
    section.chart({.title = "What the features know while they are learned",
                   .x_label = "step",
                   .y_label = "% of validation pictures",
                   .markers = true,
                   .series = {probe}},
                  "From 10,000 training pictures, or all.");
  }
  section.text("Denoiser: " + std::to_string(static_cast<int>(results.denoiser_speed.images_per_second)) +
               " images a second. DiffSiam: " +
               std::to_string(static_cast<int>(results.diffsiam_speed.images_per_second)) +
               " images a second, the siamese half beside.");
}

}  // namespace detail

template <class B>
void write_report(typename B::Context& context, ds::DiffSiam<B> const& model, RunData const& data,
                  RunConfig const& config, std::string const& title, Results const& results,
                  std::filesystem::path const& folder, ds::ThreadPool& threads, double seconds) {
  ds::report::HtmlReport report{
      {.title = "DiffSiam on " + title,
       .intro = "A denoiser is trained first and frozen. Then an encoder and a shift decoder learn what the "
                "denoiser can no longer restore at each time-step, in " +
                std::to_string(config.subsets) + " subsets of " + std::to_string(config.latent_dims) +
                " features, while NT-Xent joins two views of each picture. Run " + config.name + ", seed " +
                std::to_string(config.seed) + ", " + ds::io::format_fixed(seconds / 60, 1) +
                " minutes from the start of training to this page."}};
  if (!data.found.empty()) {
    auto& section = report.section("The pictures");
    for (std::string const& sentence : data.found) section.text(sentence + ".");
  }
  detail::report_features(report.section("What the features know"), results, data);
  detail::report_losses(report.section("What was lost, and what z gives back"), results);

  ds::data::Dataset const& test = data.pictures.test;
  ds::Tensor<B> const shown = ds::data::to_tensor<B>(context, test.subset(shown_pictures(test)));
  auto& images = report.section("Pictures");
  auto const rebuilt = reconstructions(context, model, shown, config);
  ds::io::write_png(folder / "reconstructions.png", ds::io::upscale(rebuilt, 2));
  images.picture(rebuilt,
                 {.caption = "From above: test pictures; from z and the inferred x_T; from z and three "
                             "random x_T; the denoiser alone from the first of these x_T.",
                  .scale = 2});
  auto const grid = ds::TimeGrid::linspace(1000, config.sampling_steps);
  ds::Tensor<B> const x_T =
      ds::diffusion::normal<B>(context, shown.shape().with_samples(40), {.seed = config.seed, .stream = 51});
  auto const samples = pictures_of(ds::ddim_sample<B>(
      model.schedule(), grid, x_T, ds::diffusion::PlainNoise{model.decoder().denoiser(), model.schedule()},
      with_noise(config, 3)));
  images.picture(ds::io::grid(samples, 10, 2),
                 {.caption = "Samples of the denoiser, " + std::to_string(config.sampling_steps) +
                             " DDIM steps with eta = 1.",
                  .scale = 2});

  detail::report_neighbours(report.section("Neighbours"), results, data, model.partition(), threads);
  detail::report_training(report.section("Training"), results, folder, data.labelled());
  report.section("Settings").preformatted(config.json().dump(2));
  report.write(folder / "report.html");
}

}  // namespace experiments
