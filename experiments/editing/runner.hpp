// Everything that trained methods are tried in, from the options of edit_pictures to its page and figures.
#pragma once

#include <algorithm>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include <diffsiam/train/run_folder.hpp>

#include <experiments/editing/oracle.hpp>
#include <experiments/editing/page.hpp>
#include <experiments/editing/trained.hpp>
#include <experiments/support/run_start.hpp>
#include <experiments/support/settings.hpp>

namespace experiments {

struct EditOptions {
  std::string data = "shapes";
  std::vector<std::string> methods{"diffsiam", "pdae"};
  std::filesystem::path out;
  DataFolders folders;
  ModelFiles files;
  EditSettings settings;
  ds::Index first = 0;  ///< of each part; 0: all of them
  RunStart start;
  int threads = 0;

  /// Beside those of EditSettings.
  template <class Self, class F>
  static void for_each_setting(Self& self, F&& f) {
    f("run_seed", self.files.seed, 0, most_seed, "which of the runs");
    f("first", self.first, fewest_pictures, fashion_parts.train, "use only so many pictures of each part");
  }

  [[nodiscard]] std::filesystem::path folder() const {
    return {out.empty() ? std::filesystem::path("runs/editing") / data : out};
  }
  /// All that the run depends on, besides the models' weights.
  [[nodiscard]] nlohmann::ordered_json json() const {
    auto all = json_of_settings(settings);
    all.update(json_of_settings(*this));
    all["data"] = data;
    all["methods"] = methods;
    all["untrained"] = files.untrained;
    if (!folders.fonts.empty()) all["fonts"] = folders.fonts.string();
    return all;
  }
};

namespace detail {

/// Throws ConfigError where the settings do not fit each other, or the pictures.
inline void require_valid(EditSettings const& settings, PartSizes const& parts) {
  require_at_most("--pictures", settings.pictures, parts.test, "the test pictures there are");
  require_at_most("--edited", settings.edited, settings.pictures, "the pictures that are rebuilt");
  require_at_most("--chosen-on", settings.chosen_on, parts.validation, "the validation pictures there are");
}

/// Each of them once. Throws ConfigError for another list.
inline void require_editable(std::vector<std::string> const& names) {
  if (names.empty()) ds::fail<ds::ConfigError>("--methods", "a method or more", "none");
  for (auto name = names.begin(); name != names.end(); ++name) {
    (void)editable_source(*name);
    if (std::find(names.begin(), name, *name) != name)
      ds::fail<ds::ConfigError>("--methods", "each method once", {*name, " twice"});
  }
}

/// What needs a diffusion model: reconstructions, interpolations, counterfactuals and new pictures.
inline void try_diffusion(Studio const& studio, TrainedMethod const& method, EditableCode const& code,
                          FeatureSet const& z, Subjects const& test, FrechetScale const& scale,
                          Edits& edits) {
  auto const begin = [&](char const* what) { say(what + (", " + method.name)); };
  Subjects const edited = first_of(test, studio.settings.edited), others = partners_of(test, edited.count());
  begin("2 reconstructions");
  edits.reconstructions.push_back(reconstruct(studio, code, test));
  edits.compared.push_back(judged(studio, scale, "rebuilt, " + method.name, test.rebuilt));
  begin("3 interpolations");
  edits.interpolations.push_back(interpolate_pairs(studio, method, edited, others));
  begin("4 counterfactuals");
  edits.counterfactuals.push_back(exchange_segments(studio, method, edited, others));
  begin("6 pictures from drawn z");
  edits.drawn.push_back(latent_samples(studio, scale, method, z));
  edits.compared.push_back(edits.drawn.back());
}

/// Everything that a method is tried in. `known` are the training pictures whose z is learned from.
inline void try_method(Studio const& studio, LoadedMethod const& method, ds::data::Dataset const& known,
                       FrechetScale const& scale, Edits& edits) {
  EditableCode const code = editable_code(studio, method, known);
  EditSettings const& settings = studio.settings;
  ExperimentData const& data = *studio.data;
  say(code.name + ": test pictures");
  Subjects const test = subjects_of(studio, code, data.pictures.test, data.factors.test, settings.pictures),
                 validation = subjects_of(studio, code, data.pictures.validation, data.factors.validation,
                                          settings.chosen_on);
  if (edits.oracle.wishes.empty() && data.set->draws_pairs)
    edits.oracle = oracle_edits(studio, first_of(test, settings.edited));
  FeatureSet const z{code.dims,
                     ds::eval::encode(*studio.context, code, known),
                     ds::eval::encode(*studio.context, code, data.pictures.validation),
                     {}};
  if (method.diffusion) try_diffusion(studio, *method.diffusion, code, z, test, scale, edits);
  say("5 manipulations, " + code.name);
  edits.manipulations.push_back(manipulations(studio, code, z, validation, first_of(test, settings.edited)));
  say("7 pictures from the first subsets, " + code.name);
  edits.revealed.push_back(reveal_subsets(studio, code, scale, z.train, test));
}

}  // namespace detail

inline void run_edits(EditOptions const& options) {
  Clock::time_point const start = Clock::now();
  DataSet const& set = data_set(options.data);
  detail::require_valid(options.settings, set.parts.first(options.first));
  std::filesystem::path const folder = options.folder();
  detail::require_editable(options.methods);
  std::string const judge_name = options.data + "_judge";
  std::vector<std::string> stages{judge_name};
  for (std::string const& name : options.methods) stages.push_back(name + "_latent");
  ds::train::RunFolder const claim{folder,
                                   options.json(),
                                   {.resume = options.start.resume,
                                    .overwrite = options.start.overwrite,
                                    .stages = stages,
                                    .others = {"report.html"},
                                    .last = "result.json",
                                    .may_differ = {"backend", "precision"}}};
  if (claim.finished()) return say("finished already: " + (folder / "report.html").string());
  if (!options.files.untrained) require_trained(options.files, options.data, options.methods);
  ExperimentData const data = first_pictures(set.load(set, options.folders), options.first);
  B::Context context{{.threads = options.threads}};
  ds::UNet<B> const denoiser = load_denoiser(context, data, options.files);
  std::vector<LoadedMethod> loaded;
  for (std::string const& name : options.methods)
    loaded.push_back(load_editable(context, data, options.files, name));
  auto const known =
      data.pictures.train.slice(0, std::min(options.settings.known, data.pictures.train.size()));
  claim.take();
  // The judge is trained as a method is, for its own steps.
  Run const judging{&context,
                    &data,
                    judge_name,
                    {.steps = options.settings.judge_steps},
                    folder,
                    options.settings.seed,
                    options.start.resume};
  Judge const judge = trained_judge(judging);
  Studio const studio{&context,
                      &data,
                      judge,
                      judge_accuracy(context, judge, data),
                      options.settings,
                      folder,
                      uniform_partition(recipe_for(set))};

  FrechetScale const scale{studio};
  say("1 samples of the denoiser");
  Edits edits{.samples = denoiser_samples(studio, scale, denoiser)};
  edits.compared = {{"real ones (validation)", scale.of_real(options.settings.pictures)}, edits.samples};
  for (LoadedMethod const& method : loaded) detail::try_method(studio, method, known, scale, edits);

  double const seconds = seconds_since(start);
  write_page(edits, studio,
             "The same edits by the z of each method, cut in " + std::to_string(studio.partition.subsets()) +
                 " subsets; " + std::to_string(options.settings.sampling_steps) + " DDIM steps each way; " +
                 figure(seconds / 60, 1) + " minutes." +
                 (options.files.untrained ? " The models are untrained: a test of the program." : ""));
  auto result = json_of(edits, studio);
  result["untrained"] = options.files.untrained;
  result["seconds"] = seconds;
  ds::io::write_file(folder / "result.json", result.dump(2) + "\n");
  print_figures(edits);
  say("report: " + (folder / "report.html").string());
}

}  // namespace experiments
