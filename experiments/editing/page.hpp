// The page and the figures of experiments/edit_pictures.cpp.
#pragma once

#include <cstdio>
#include <string>
#include <vector>

#include <experiments/editing/counterfactual.hpp>
#include <experiments/editing/generation.hpp>
#include <experiments/editing/interpolation.hpp>
#include <experiments/editing/manipulation.hpp>
#include <experiments/editing/reconstruction.hpp>
#include <experiments/editing/studio.hpp>

namespace experiments {

/// All that was made; an entry a method where there are several.
struct Edits {
  std::vector<double> judge;  ///< accuracy on test pictures, of each factor
  Generated samples;          ///< of the denoiser
  std::vector<Reconstruction> reconstructions{};
  std::vector<Interpolation> interpolations{};
  std::vector<Counterfactuals> counterfactuals{};
  std::vector<MethodEdits> manipulations{};
  std::vector<Generated> drawn{};     ///< from z of the latent diffusion
  std::vector<Generated> compared{};  ///< everything with a Frechet distance
};

[[nodiscard]] inline nlohmann::ordered_json json_of(Edits const& edits, Studio const& studio) {
  nlohmann::ordered_json judge, by_method, distances;
  for (std::size_t f = 0; f < edits.judge.size(); ++f) judge[studio.factors().names[f]] = edits.judge[f];
  for (std::size_t m = 0; m < edits.reconstructions.size(); ++m) {
    by_method[edits.reconstructions[m].method] = {
        {"reconstruction", edits.reconstructions[m].json()},
        {"interpolation", edits.interpolations[m].json()},
        {"counterfactuals", json_of(edits.counterfactuals[m], studio)},
        {"manipulations", json_of(edits.manipulations[m], studio.factors())},
        {"manipulation_means", means_of(edits.manipulations[m])}};
  }
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
    std::printf("%-10s  rebuilt: PSNR %.1f, SSIM %.3f; from random x_T: PSNR %.1f, SSIM %.3f\n",
                r.method.c_str(), r.inferred.psnr, r.inferred.ssim, r.random.psnr, r.random.ssim);
  for (MethodEdits const& of_method : edits.manipulations)
    for (WishEdits const& of : of_method.wishes)
      for (Manipulation const* const m : of.directions())
        std::printf("%-10s  factor %zu to %d by %s: reached %.2f, target %.2f, others %.2f\n",
                    of_method.method.c_str(), of.wish.factor, of.wish.level, m->direction.c_str(),
                    m->effect.reached, m->effect.target, m->effect.others);
  for (Generated const& g : edits.compared)
    std::printf("Frechet distance of %s: %.2f\n", g.kind.c_str(), g.frechet);
}

inline void write_page(Edits const& edits, Studio const& studio, std::string const& intro) {
  ds::report::HtmlReport report{
      {.title = "Pictures made and edited: " + std::string(studio.data->set->name), .intro = intro}};
  show_judge(report, edits.judge, studio.factors());
  show_samples(report, studio.folder, edits.samples);
  show_reconstructions(report, studio.folder, edits.reconstructions);
  show_interpolations(report, studio.folder, edits.interpolations);
  show_counterfactuals(report, studio, edits.counterfactuals);
  show_manipulations(report, studio, edits.manipulations);
  show_generated(report, studio.folder, edits.drawn, edits.compared);
  report.section("Settings").preformatted(json_of_settings(studio.settings).dump(2));
  report.write(studio.folder / "report.html");
}

}  // namespace experiments
