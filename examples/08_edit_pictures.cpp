// Makes and edits pictures with trained models, DiffSiam's beside PDAE's, and measures each: samples,
// reconstructions, interpolations, counterfactuals, manipulations, and pictures from drawn z.
//
//   build/demo/examples/edit_pictures --data shapes
//
// It reads what compare_methods leaves: the denoiser in --weights, diffsiam and pdae in --runs.
//
// ctest: --untrained --first 300 --pictures 8 --edited 4 --chosen-on 3 --sampling-steps 2 --out @OUT@
//
// In --out: report.html, result.json, *.png, and the weights of the judge, which is trained once.

#include <cstdio>
#include <filesystem>
#include <string>

#include <CLI/CLI.hpp>

#include "support/editing/page.hpp"
#include "support/editing/trained.hpp"
#include "support/program.hpp"

namespace {

using namespace example;

struct Options {
  std::string data = "shapes";
  std::filesystem::path out, fashion{ds::data::FashionMnist::debian_folder};
  ModelFiles files;
  EditSettings settings;
  ds::Index first = 0;  ///< of each part; 0: all of them
  bool resume = false;
  int threads = 0;
};

/// The judge is trained as a method is, for its own steps.
Judge judge_for(Options const& options, B::Context& context, ExperimentData const& data,
                RunFolder const& folder) {
  Recipe const recipe{.method = data.name + "_judge", .steps = options.settings.judge_steps};
  return trained_judge({&context, &data, recipe, folder, options.settings.seed, options.resume});
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
                     encode_all(*studio.context, method.model.encoder(), known),
                     encode_all(*studio.context, method.model.encoder(), data.pictures.validation),
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
  ExperimentData data = load_experiment_data(options.data, options.fashion);
  if (options.first > 0) data = first_pictures(data, options.first);
  RunFolder const folder{options.out.empty() ? std::filesystem::path("runs/editing") / data.name
                                             : options.out};
  std::filesystem::create_directories(folder.root);
  B::Context context{{.threads = options.threads}};
  ds::UNet<B> const denoiser = load_denoiser(context, data, options.files);
  std::vector<Method> methods;
  for (char const* const name : {"diffsiam", "pdae"})
    methods.push_back(load_method(context, data, options.files, name));
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
  CLI::App app{"Makes, edits and measures pictures with trained models, DiffSiam's beside PDAE's."};
  app.add_option("--data", options.data, "shapes or fashion")->capture_default_str();
  app.add_option("--out", options.out, "folder of the report; runs/editing/DATA unless given");
  app.add_option("--runs", options.files.runs, "folder of the runs of compare_methods")
      ->capture_default_str();
  app.add_option("--weights", options.files.weights, "folder of the denoisers")->capture_default_str();
  app.add_option("--run-seed", options.files.seed, "which of the runs")->capture_default_str();
  app.add_flag("--untrained", options.files.untrained,
               "freshly initialised models, a judge and a latent diffusion after two steps: tests the "
               "program, shows nothing");
  app.add_flag("--resume", options.resume, "goes on with the interrupted training of the judge");
  app.add_option("--fashion-mnist", options.fashion, "folder with the IDX files")->capture_default_str();
  app.add_option("--threads", options.threads, "0: all cores; the result does not depend on it")
      ->capture_default_str();
  app.add_option("--seed", settings.seed, "of noise, judge and latent diffusion")->capture_default_str();
  app.add_option("--first", options.first, "use only so many pictures of each part; 0: all")
      ->capture_default_str();
  app.add_option("--pictures", settings.pictures, "that are rebuilt, and samples of each kind")
      ->check(CLI::Range(2, 5000))
      ->capture_default_str();
  app.add_option("--edited", settings.edited, "of these")->check(CLI::Range(1, 5000))->capture_default_str();
  app.add_option("--chosen-on", settings.chosen_on, "validation pictures for an edit's strength")
      ->check(CLI::Range(1, 2000))
      ->capture_default_str();
  app.add_option("--known", settings.known, "training pictures whose z is learned from")
      ->check(CLI::Range(2, 55000))
      ->capture_default_str();
  app.add_option("--segments", settings.segments, "of subsets, for counterfactuals")
      ->check(CLI::Range(1, 16))
      ->capture_default_str();
  app.add_option("--kept", settings.kept, "dims that a learned mask lets through")
      ->check(CLI::Range(1, 64))
      ->capture_default_str();
  app.add_option("--sampling-steps", settings.sampling_steps, "of DDIM")
      ->check(CLI::Range(1, 999))
      ->capture_default_str();
  app.add_option("--judge-steps", settings.judge_steps, "of training")->capture_default_str();
  app.add_option("--latent-steps", settings.latent_steps, "of training")->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  if (options.files.untrained) settings.judge_steps = settings.latent_steps = 2;
  return example::run_program("edit_pictures", [&] {
    example::stop_on_interrupt();
    run(options);
  });
}
