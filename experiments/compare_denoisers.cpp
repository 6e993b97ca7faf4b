// Trains one denoiser and measures it, to choose settings by: its errors on validation pictures, and how far
// its samples are from real pictures.
//
//   cmake --build build/demo --target compare_denoisers    (scripts/demo makes build/demo)
//   build/demo/experiments/compare_denoisers --data fashion --predicts v --out runs/denoisers/v
//
// ctest: --data shapes --pictures 300 --steps 2 --base 8 --samples 4 --sampling-steps 2
// --predicts v --min-snr 5 --overwrite --out @OUT@
//
// In --out: config.json, samples.png, and result.json when it is finished.

#include <filesystem>
#include <string>

#include <CLI/CLI.hpp>

#include <diffsiam/io/png.hpp>
#include <diffsiam/train/run_folder.hpp>

#include <experiments/data_options.hpp>
#include <experiments/denoiser_trial.hpp>
#include <experiments/settings.hpp>
#include <experiments/support/program.hpp>
#include <experiments/support/run_start.hpp>

namespace {

using namespace experiments;

struct Options {
  std::string data = "fashion", predicts = "eps";
  std::filesystem::path out = "runs/denoiser";
  DataFolders folders;
  ds::Index pictures = 0;
  std::uint64_t seed = 0;
  int threads = 0;
  RunStart start;
  DenoiserRecipe recipe;

  [[nodiscard]] nlohmann::ordered_json json() const {
    return {{"data", data},
            {"predicts", predicts},
            {"pictures", pictures},
            {"seed", seed},
            {"recipe", json_of_settings(recipe)}};
  }
};

void run_trial(Options options) {
  options.recipe.target = ds::diffusion::prediction_target(options.predicts);
  DenoiserRecipe const& recipe = options.recipe;
  DataSet const& set = data_set(options.data);
  PartSizes const parts = set.parts.first(options.pictures);
  require_batch("--batch", recipe.batch, parts);
  require_at_most("--samples", recipe.samples, parts.validation,
                  "the validation pictures they are compared with");
  require_base(recipe.base, ds::unet::Config::for_small(1, recipe.base).groups);
  ds::train::RunFolder const folder{options.out,
                                    options.json(),
                                    {.resume = options.start.resume,
                                     .overwrite = options.start.overwrite,
                                     .stages = {"denoiser"},
                                     .others = {"samples.png"},
                                     .last = "result.json"}};
  if (folder.finished()) return say("finished already: " + (folder / "result.json").string());
  ExperimentData const data = first_pictures(set.load(set, options.folders), options.pictures);
  B::Context context{{.threads = options.threads}};
  folder.take();
  Run const run{&context,    &data,        "denoiser",          {.steps = recipe.steps, .rate = recipe.rate},
                options.out, options.seed, options.start.resume};
  ds::NoiseSchedule const schedule = ds::NoiseSchedule::linear();
  ds::UNet<B> const denoiser{context,
                             ds::unet::Config::for_small(data.channels(), recipe.base, options.seed)};
  double const start = processor_seconds();
  train_trial(run, recipe, schedule, denoiser);
  double const seconds = processor_seconds() - start;

  ds::diffusion::PlainNoise const predict{denoiser, schedule, recipe.target};
  DenoiserErrors const errors = denoiser_errors(run, schedule, predict);
  JudgedSamples const judged = judged_samples(run, schedule, predict, recipe);
  auto const shown = judged.samples.samples(0, std::min<ds::Index>(40, recipe.samples));
  ds::io::write_png(folder / "samples.png", ds::io::grid(pictures_of(shown), 10, 2));
  nlohmann::ordered_json const result{{"eps_error", errors.eps},
                                      {"x_0_error", errors.x_0},
                                      {"frechet", judged.frechet},
                                      {"frechet_of_real", judged.frechet_of_real},
                                      {"training_processor_seconds", seconds}};
  say(result.dump());
  ds::io::write_file(folder / "result.json", result.dump(2) + "\n");
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  CLI::App app{"Trains one denoiser and measures it.", "compare_denoisers"};
  app.add_option("--data", options.data, "which pictures")
      ->check(CLI::IsMember(names_of(data_sets)))
      ->capture_default_str();
  app.add_option("--predicts", options.predicts, "what the network predicts")
      ->check(CLI::IsMember({"eps", "x_0", "v"}))
      ->capture_default_str();
  app.add_option("--out", options.out, "folder of the run")->capture_default_str();
  add_data_folders(app, options.folders);
  add_whole_number(app, "--pictures", options.pictures, fewest_pictures, fashion_parts.train,
                   "use only the first ones of each part");
  add_seed(app, options.seed);
  add_threads(app, options.threads);
  add_start_options(app, options.start);
  add_setting_options(app, options.recipe);
  return run_program(app, argc, argv, [&] { run_trial(options); });
}
