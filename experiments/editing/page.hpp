// The page and the figures of experiments/edit_pictures.cpp.
#pragma once

#include <cstdio>
#include <optional>
#include <string>
#include <vector>

#include <experiments/editing/counterfactual.hpp>
#include <experiments/editing/generation.hpp>
#include <experiments/editing/interpolation.hpp>
#include <experiments/editing/manipulation.hpp>
#include <experiments/editing/reconstruction.hpp>
#include <experiments/editing/revealed.hpp>
#include <experiments/editing/studio.hpp>

namespace experiments {

/// All that was made; an entry a method where there are several.
struct Edits {
  Generated samples;  ///< of the denoiser
  std::vector<Reconstruction> reconstructions{};
  std::vector<Interpolation> interpolations{};
  std::vector<Counterfactuals> counterfactuals{};
  std::vector<Revealed> revealed{};
  MethodEdits oracle{};  ///< without wishes where pictures cannot be drawn again
  std::vector<MethodEdits> manipulations{};
  std::vector<Generated> drawn{};     ///< from z of the latent diffusion
  std::vector<Generated> compared{};  ///< everything with a Frechet distance

  /// The oracle's means with noise, such as a decoder leaves, too.
  [[nodiscard]] std::optional<MeanEffect> oracle_mean() const {
    auto const means = means_of(oracle);
    return means.empty() ? std::nullopt : std::optional{means.back()};
  }
};

[[nodiscard]] inline nlohmann::ordered_json json_of(Edits const& edits, Studio const& studio) {
  FactorTable const& factors = studio.factors();
  nlohmann::ordered_json judge, by_method, distances;
  for (std::size_t f = 0; f < factors.factors(); ++f) judge[factors.names[f]] = studio.judge_accuracy[f];
  for (std::size_t m = 0; m < edits.reconstructions.size(); ++m)
    by_method[edits.reconstructions[m].method] = {
        {"reconstruction", edits.reconstructions[m].json()},
        {"interpolation", edits.interpolations[m].json()},
        {"counterfactuals", json_of(edits.counterfactuals[m], studio)}};
  auto const oracle = edits.oracle_mean();
  auto const add_edits = [&](MethodEdits const& of_method) {
    by_method[of_method.method]["manipulations"] = json_of(of_method, factors);
    by_method[of_method.method]["manipulation_means"] =
        json_of(means_of(of_method), oracle ? &*oracle : nullptr);
  };
  for (MethodEdits const& of_method : edits.manipulations) add_edits(of_method);
  for (Revealed const& r : edits.revealed) by_method[r.method]["revealed"] = r.json();
  if (oracle) add_edits(edits.oracle);
  for (Generated const& g : edits.compared) distances[g.kind] = g.frechet;
  return {{"data", studio.data->set->name},
          {"judge_accuracy", judge},
          {"frechet", distances},
          {"methods", by_method},
          {"settings", json_of_settings(studio.settings)}};
}

inline void show_judge(ds::report::HtmlReport& report, std::vector<double> const& accuracy,
                       FactorTable const& factors) {
  ds::report::Table table{.header = {"factor", "levels", "accuracy %", "by chance %"},
                          .rows = {},
                          .caption =
                              "Of the judge on test pictures as they are. What it cannot read, no measure "
                              "below can see."};
  for (std::size_t f = 0; f < factors.factors(); ++f)
    table.rows.push_back({factors.names[f], std::to_string(factors.levels[f]), percent(accuracy[f]),
                          percent(1.0 / factors.levels[f])});
  report.section("The judge").table(table);
}

inline void print_figures(Edits const& edits) {
  for (Reconstruction const& r : edits.reconstructions)
    std::printf("%-14s  rebuilt: PSNR %.1f, SSIM %.3f; from random x_T: PSNR %.1f, SSIM %.3f\n",
                r.method.c_str(), r.inferred.psnr, r.inferred.ssim, r.random.psnr, r.random.ssim);
  auto const print_means = [](MethodEdits const& of_method) {
    for (MeanEffect const& mean : means_of(of_method))
      std::printf("%-14s  edits by %s: reached %.2f, target %.2f, others %.2f, ratio %.2f\n",
                  of_method.method.c_str(), mean.direction.c_str(), mean.reached, mean.target, mean.others,
                  mean.ratio());
  };
  print_means(edits.oracle);
  for (MethodEdits const& of_method : edits.manipulations) print_means(of_method);
  for (Generated const& g : edits.compared)
    std::printf("Frechet distance of %s: %.2f\n", g.kind.c_str(), g.frechet);
}

inline void write_page(Edits const& edits, Studio const& studio, std::string const& intro) {
  ds::report::HtmlReport report{
      {.title = "Pictures made and edited: " + std::string(studio.data->set->name), .intro = intro}};
  show_judge(report, studio.judge_accuracy, studio.factors());
  show_samples(report, studio.folder, edits.samples);
  show_reconstructions(report, studio.folder, edits.reconstructions);
  show_interpolations(report, studio.folder, edits.interpolations);
  show_counterfactuals(report, studio, edits.counterfactuals);
  auto const oracle = edits.oracle_mean();
  auto manipulations = edits.manipulations;
  if (oracle) manipulations.insert(manipulations.begin(), edits.oracle);
  show_manipulations(report, studio, manipulations, oracle ? &*oracle : nullptr);
  show_generated(report, studio.folder, edits.drawn, edits.compared);
  show_revealed(report, studio.folder, edits.revealed);
  report.section("Settings").preformatted(json_of_settings(studio.settings).dump(2));
  report.write(studio.folder / "report.html");
}

}  // namespace experiments
