// Makes and edits pictures with trained models, DiffSiam's beside PDAE's, and measures each: samples,
// reconstructions, interpolations, counterfactuals, manipulations, and pictures from drawn z.
//
//   cmake --build build/demo --target edit_pictures        (scripts/demo makes build/demo)
//   build/demo/experiments/edit_pictures --data shapes
//
// It reads what compare_methods leaves: the denoiser in --weights, diffsiam and pdae in --runs.
//
// ctest: --untrained --first 300 --pictures 8 --edited 4 --chosen-on 3 --sampling-steps 2 --overwrite --out
// @OUT@
//
// In --out: config.json, *.png, the weights of the judge, report.html, and result.json when it is finished.

#include <cstdio>
#include <filesystem>
#include <string>

#include <CLI/CLI.hpp>

#include <diffsiam/train/run_folder.hpp>

#include <experiments/editing/page.hpp>
#include <experiments/editing/trained.hpp>
#include <experiments/support/options.hpp>
#include <experiments/support/program.hpp>
#include <experiments/support/run_start.hpp>
#include <experiments/support/settings.hpp>

namespace {

using namespace example;

struct Options {
  std::string data = "shapes";
  std::filesystem::path out, fashion{ds::data::FashionMnist::debian_folder};
  ModelFiles files;
  EditSettings settings;
  ds::Index first = 0;  ///< of each part; 0: all of them
  RunStart start;
  int threads = 0;

  [[nodiscard]] RunFolder folder() const {
    return {out.empty() ? std::filesystem::path("runs/editing") / data : out};
  }
  [[nodiscard]] PartSizes parts() const { return part_sizes(data).first(first); }
  /// All that the run depends on, besides the models' weights.
  [[nodiscard]] nlohmann::ordered_json json() const {
    auto all = settings.json();
    all["data"] = data;
    all["run_seed"] = files.seed;
    all["untrained"] = files.untrained;
    all["first"] = first;
    return all;
  }
};

/// Throws ConfigError where the settings do not fit each other, or the pictures.
void require_valid(Options const& options) {
  EditSettings const& settings = options.settings;
  PartSizes const parts = options.parts();
  require_at_most("--pictures", settings.pictures, parts.test, "the test pictures there are");
  require_at_most("--edited", settings.edited, settings.pictures, "the pictures that are rebuilt");
  require_at_most("--chosen-on", settings.chosen_on, parts.validation, "the validation pictures there are");
}

/// The judge is trained as a method is, for its own steps.
Judge judge_for(Options const& options, B::Context& context, ExperimentData const& data,
                RunFolder const& folder) {
  Recipe const recipe{.method = data.name + "_judge", .steps = options.settings.judge_steps};
  return trained_judge({&context, &data, recipe, folder, options.settings.seed, options.start.resume});
}

/// Everything that a method is tried in.
void try_method(Studio const& studio, Method const& method, FrechetScale const& scale, Edits& edits) {
  EditSettings const& settings = studio.settings;
  ExperimentData const& data = *studio.data;
  say(method.name + ": x_T of test pictures");
  Subjects const test = subjects_of(studio, method, data.pictures.test, data.factors.test, settings.pictures),
                 validation = subjects_of(studio, method, data.pictures.validation, data.factors.validation,
                                          settings.chosen_on);
  Subjects const edited = first_of(test, settings.edited), others = partners_of(test, edited.count());

  say("2 reconstructions, " + method.name);
  edits.reconstructions.push_back(reconstruct(studio, method, test));
  edits.compared.push_back(judged(studio, scale, "rebuilt, " + method.name, test.rebuilt));
  say("3 interpolations, " + method.name);
  edits.interpolations.push_back(interpolate_pairs(studio, method, edited, others));
  say("4 counterfactuals, " + method.name);
  edits.counterfactuals.push_back(exchange_segments(studio, method, edited, others));

  say("5 manipulations, " + method.name);
  auto const known = data.pictures.train.slice(0, std::min(settings.known, data.pictures.train.size()));
  FeatureSet const z{method.model.encoder().latent_dims(),
                     ds::eval::encode(*studio.context, method.model.encoder(), known),
                     ds::eval::encode(*studio.context, method.model.encoder(), data.pictures.validation),
                     {}};
  edits.manipulations.push_back(manipulations(studio, method, z, validation, edited));
  say("6 pictures from drawn z, " + method.name);
  edits.drawn.push_back(latent_samples(studio, scale, method, z));
  edits.compared.push_back(edits.drawn.back());
}

void print_figures(Edits const& edits) {
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

void run(Options const& options) {
  Clock::time_point const start = Clock::now();
  require_valid(options);
  RunFolder const folder = options.folder();
  ds::train::RunFolder const claim{folder.root,
                                   options.json(),
                                   {.resume = options.start.resume,
                                    .overwrite = options.start.overwrite,
                                    .stages = {options.data + "_judge", "diffsiam_latent", "pdae_latent"},
                                    .others = {"report.html"},
                                    .last = "result.json",
                                    .may_differ = {"backend", "precision"}}};
  if (claim.finished()) return say("finished already: " + (folder / "report.html").string());
  if (!options.files.untrained) require_trained(options.files, options.data, {"diffsiam", "pdae"});
  ExperimentData data = load_experiment_data(options.data, options.fashion);
  if (options.first > 0) data = first_pictures(data, options.first);
  B::Context context{{.threads = options.threads}};
  ds::UNet<B> const denoiser = load_denoiser(context, data, options.files);
  std::vector<Method> methods;
  for (char const* const name : {"diffsiam", "pdae"})
    methods.push_back(load_method(context, data, options.files, name));
  claim.take();
  Studio const studio{&context,         &data,  judge_for(options, context, data, folder),
                      options.settings, folder, methods.front().model.partition()};

  FrechetScale const scale{studio};
  say("1 samples of the denoiser");
  Edits edits{.judge = judge_accuracy(context, studio.judge, data),
              .samples = denoiser_samples(studio, scale, denoiser)};
  edits.compared = {{"real ones (validation)", scale.of_real(options.settings.pictures)}, edits.samples};
  for (Method const& method : methods) try_method(studio, method, scale, edits);

  double const seconds = seconds_since(start);
  write_page(edits, studio,
             "The same edits by z of DiffSiam (" + std::to_string(studio.partition.subsets()) +
                 " subsets) and of PDAE (one), " + std::to_string(options.settings.sampling_steps) +
                 " DDIM steps each way; " + figure(seconds / 60, 1) + " minutes." +
                 (options.files.untrained ? " The models are untrained: a test of the program." : ""));
  auto result = json_of(edits, studio);
  result["untrained"] = options.files.untrained;
  result["seconds"] = seconds;
  ds::io::write_file(folder / "result.json", result.dump(2) + "\n");
  print_figures(edits);
  say("report: " + (folder / "report.html").string());
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  EditSettings& settings = options.settings;
  CLI::App app{"Makes, edits and measures pictures with trained models, DiffSiam's beside PDAE's.",
               "edit_pictures"};
  app.add_option("--data", options.data, "which pictures")
      ->check(CLI::IsMember({"fashion", "shapes"}))
      ->capture_default_str();
  app.add_option("--out", options.out, "folder of the report; runs/editing/DATA unless given");
  app.add_option("--runs", options.files.runs, "folder of the runs of compare_methods")
      ->capture_default_str();
  app.add_option("--weights", options.files.weights, "folder of the denoisers")->capture_default_str();
  add_whole_number(app, "--run-seed", options.files.seed, 0, most_seed, "which of the runs");
  app.add_flag("--untrained", options.files.untrained,
               "freshly initialised models, a judge and a latent diffusion after two steps: tests the "
               "program, shows nothing");
  add_start_options(app, options.start);
  app.add_option("--fashion-mnist", options.fashion, "folder with the IDX files")->capture_default_str();
  add_threads(app, options.threads);
  add_seed(app, settings.seed, "of noise, judge and latent diffusion");
  add_whole_number(app, "--first", options.first, fewest_pictures, fashion_parts.train,
                   "use only so many pictures of each part");
  add_whole_number(app, "--pictures", settings.pictures, 2, 5000,
                   "that are rebuilt, and samples of each kind");
  add_whole_number(app, "--edited", settings.edited, 1, 5000, "of these");
  add_whole_number(app, "--chosen-on", settings.chosen_on, 1, 2000,
                   "validation pictures for an edit's strength");
  add_whole_number(app, "--known", settings.known, 2, fashion_parts.train,
                   "training pictures whose z is learned from, or all there are");
  add_whole_number(app, "--segments", settings.segments, 1, 16, "of subsets, for counterfactuals");
  add_whole_number(app, "--kept", settings.kept, 1, 64, "dims that a learned mask lets through");
  add_whole_number(app, "--sampling-steps", settings.sampling_steps, 1, 999, "of DDIM");
  add_whole_number(app, "--judge-steps", settings.judge_steps, 1, most_steps, "of training");
  add_whole_number(app, "--latent-steps", settings.latent_steps, 1, most_steps, "of training");
  return run_program(app, argc, argv, [&] {
    if (options.files.untrained) settings.judge_steps = settings.latent_steps = 2;
    run(options);
  });
}
