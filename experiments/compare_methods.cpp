// Trains one method on one data set and measures its features: a cell of the table in docs/results.md. What
// is there already is not run again.
//
//   scripts/experiments                                    the whole table, and the page
//   cmake --build build/demo --target compare_methods      (scripts/demo makes build/demo)
//   build/demo/experiments/compare_methods --data shapes --method diffsiam --seed 0
//
// ctest: --data shapes --method diffsiam --pictures 300 --pairs 4 --steps 3 --siamese-batch 16
//   --overwrite --denoiser-steps 2 --runs @OUT@ --weights @OUT@ --results @OUT@/results.jsonl

#include <algorithm>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include <diffsiam/train/run_folder.hpp>

#include <experiments/methods.hpp>
#include <experiments/order.hpp>
#include <experiments/results.hpp>
#include <experiments/support/options.hpp>
#include <experiments/support/program.hpp>
#include <experiments/support/run_start.hpp>

namespace {

using namespace example;

struct Options {
  std::string data = "fashion", method = "diffsiam";
  std::uint64_t seed = 0;
  std::filesystem::path results = "runs/results.jsonl", runs = "runs/experiments",
                        weights = "experiments/weights", fashion{ds::data::FashionMnist::debian_folder};
  RunStart start;
  bool validation_only = false;
  int threads = 0;
  std::uint64_t denoiser_steps = 1600;
  ds::Index pictures = 0;  ///< of each part; 0: all of them
  ds::Index pairs = 64;    ///< of each factor, where pairs that differ in it are asked for

  // Settings of the recipe that were given another value.
  std::optional<std::uint64_t> steps, siamese_from;
  std::optional<ds::Index> batch, siamese_batch, neighbours, encoder_width;
  std::optional<int> subsets;
  std::optional<double> siamese_weight, rate, temperature, beta, p2_k, price;
  std::optional<float> least_area, blur, erase, jitter;

  [[nodiscard]] Recipe recipe() const {
    Recipe recipe = Recipe::of_data(data);
    recipe.steps = steps.value_or(recipe.steps);
    recipe.siamese_from = siamese_from.value_or(recipe.siamese_from);
    recipe.batch = batch.value_or(recipe.batch);
    recipe.siamese_batch = siamese_batch.value_or(recipe.siamese_batch);
    recipe.siamese_weight = siamese_weight.value_or(recipe.siamese_weight);
    recipe.rate = rate.value_or(recipe.rate);
    recipe.temperature = temperature.value_or(recipe.temperature);
    recipe.beta = beta.value_or(recipe.beta);
    recipe.p2_k = p2_k.value_or(recipe.p2_k);
    recipe.price = price.value_or(recipe.price);
    recipe.neighbours = neighbours.value_or(recipe.neighbours);
    recipe.encoder_width = encoder_width.value_or(recipe.encoder_width);
    recipe.subsets = subsets.value_or(recipe.subsets);
    return recipe;
  }
  [[nodiscard]] RunFolder folder() const {
    return {runs / (data + "." + method + "." + std::to_string(seed))};
  }
  [[nodiscard]] PartSizes parts() const { return part_sizes(data).first(pictures); }
  /// All that the run depends on.
  [[nodiscard]] nlohmann::ordered_json json() const {
    nlohmann::ordered_json settings{{"data", data},
                                    {"method", method},
                                    {"seed", seed},
                                    {"pictures", pictures},
                                    {"denoiser_steps", denoiser_steps},
                                    {"recipe", recipe().json()}};
    auto const add = [&](char const* name, std::optional<float> const& value) {
      if (value) settings["views"][name] = *value;
    };
    add("least_area", least_area);
    add("blur", blur);
    add("erase", erase);
    add("jitter", jitter);
    return settings;
  }
};

/// Throws ConfigError where the settings of a method do not fit each other, or the pictures.
void require_valid(Options const& options) {
  auto const recipes = recipe_names();
  if (std::find(recipes.begin(), recipes.end(), options.method) == recipes.end()) return;
  Recipe const recipe = recipe_of(options.method, options.recipe());
  PartSizes const parts = options.parts();
  bool const siamese = recipe.siamese != Siamese::none;
  if (recipe.diffusion) require_batch("--batch", recipe.batch, parts);
  if (siamese) require_batch("--siamese-batch", recipe.siamese_batch, parts);
  if (siamese && recipe.diffusion && recipe.siamese_from >= recipe.steps)
    ds::fail<ds::ConfigError>("--siamese-from", {"a step before the last, ", recipe.steps},
                              recipe.siamese_from);
  require_neighbours(recipe.neighbours, parts);
  require_subsets(recipe.subsets, recipe.dims);
}

ExperimentData load(Options const& options) {
  ExperimentData data = load_experiment_data(options.data, options.fashion);
  if (options.pictures > 0) data = first_pictures(data, options.pictures);
  auto& views = data.views;
  views.crop.least_area = options.least_area.value_or(views.crop.least_area);
  views.blur.probability = options.blur.value_or(views.blur.probability);
  views.erase.probability = options.erase.value_or(views.erase.probability);
  views.jitter.brightness = views.jitter.contrast = options.jitter.value_or(views.jitter.brightness);
  return data;
}

/// The frozen denoiser of a data set: read from its file, or trained once and kept there in half precision.
void load_or_train_denoiser(Options const& options, Run const& run, ds::UNet<B> const& denoiser) {
  auto const path = options.weights / (options.data + "_denoiser.safetensors");
  if (!ds::io::file_exists(path)) {
    std::filesystem::create_directories(options.weights);
    RunConfig config;
    config.denoiser_steps = options.denoiser_steps;
    (void)train_denoiser(*run.context, denoiser, run.data->pictures, config, run.folder, run.resume,
                         run.data->flip);
    ds::io::save_weights(path, denoiser, ds::io::Dtype::F16);
  }
  ds::io::load_weights(path, denoiser);  // as rounded, so that every run sees the same
}

void run(Options const& options) {
  Cell const cell{options.data, options.method, options.seed};
  require_valid(options);
  ResultFile results{options.results};
  if (results.has(cell) && !options.start.overwrite) {
    say(options.data + " " + options.method + " " + std::to_string(options.seed) + ": there already, in " +
        options.results.string());
    return;
  }
  ds::train::RunFolder const claim{options.folder().root,
                                   options.json(),
                                   {.resume = options.start.resume,
                                    .overwrite = options.start.overwrite,
                                    .stages = {"denoiser", "pilot", options.method},
                                    .may_differ = {"backend", "precision"},
                                    .option = "--runs"}};
  ExperimentData const data = load(options);
  B::Context context{{.threads = options.threads}};
  Run run{&context, &data, options.recipe(), options.folder(), options.seed, options.start.resume};
  claim.take();
  ds::UNet<B> const denoiser{context, denoiser_config(data)};
  load_or_train_denoiser(options, run, denoiser);
  if (options.method == "denoiser") return;

  MeasureList list;
  Curve curve{context, data};
  auto const [z, partition, model] = features_by(options.method, run, denoiser, curve);
  list.add_seconds("training_processor_seconds");
  for (CurvePoint const& point : curve.points())
    list.add({.measure = "probe_while_training",
              .value = point.mean(),
              .seconds = point.seconds,
              .step = point.step});
  if (options.validation_only) return;
  measure_reading(list, z, data, context.threads());
  if (data.factors.factors() > 1 && z.dims <= 256)
    measure_disentanglement(list, z, partition ? ds::eval::subset_groups(*partition) : ds::eval::DimGroups{},
                            data, context.threads());
  if (partition && partition->subsets() > 1) measure_order(list, z, *partition, data, context.threads());
  if (data.name == "shapes" && model && partition->subsets() > 1)
    measure_use(list, context, *model, data.factors, options.pairs);
  if (data.name == "shapes" && options.method == "denoiser_features")
    measure_lost_steps(list, context, denoiser, data.factors, options.pairs);
  list.add("peak_bytes", static_cast<double>(peak_bytes()));
  for (Measured const& entry : list.entries())
    if (entry.measure.find("alone.") != 0 && entry.measure.find("prefix.") != 0)
      say("  " + entry.measure + (entry.step ? " at " + std::to_string(*entry.step) : "") + "  " +
          ds::io::format_fixed(entry.value, 4));
  if (options.results.has_parent_path()) std::filesystem::create_directories(options.results.parent_path());
  results.append(cell, z.dims, list.entries());
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  CLI::App app{"Trains one method on one data set and measures its features.", "compare_methods"};
  bool list = false;
  std::vector<std::string> methods = method_names();
  methods.push_back("denoiser");
  app.add_flag("--list", list, "names the methods");
  app.add_option("--data", options.data, "fashion or shapes")
      ->check(CLI::IsMember({"fashion", "shapes"}))
      ->capture_default_str();
  app.add_option("--method", options.method, "what is trained and measured")
      ->check(CLI::IsMember(methods))
      ->capture_default_str();
  add_seed(app, options.seed);
  app.add_option("--results", options.results, "JSON lines that gain the cell's")->capture_default_str();
  app.add_option("--runs", options.runs, "folder of the runs")->capture_default_str();
  app.add_option("--weights", options.weights, "folder of the denoisers")->capture_default_str();
  app.add_option("--fashion-mnist", options.fashion, "folder with the IDX files")->capture_default_str();
  add_threads(app, options.threads);
  add_whole_number(app, "--pictures", options.pictures, fewest_pictures, fashion_parts.train,
                   "use only the first ones of each part");
  add_whole_number(app, "--pairs", options.pairs, 1, 5000, "of each factor, where they are asked for");
  add_whole_number(app, "--denoiser-steps", options.denoiser_steps, 1, most_steps, "where it is trained");
  add_start_options(app, options.start);
  app.add_flag("--validation-only", options.validation_only,
               "shows the curve on validation pictures and adds no results: to choose settings by");
  add_whole_number(app, "--steps", options.steps, 1, most_steps, "of training");
  add_whole_number(app, "--batch", options.batch, 1, 4096, "pictures of the diffusion half");
  add_whole_number(app, "--siamese-batch", options.siamese_batch, 2, 16384, "pictures of the siamese half");
  add_whole_number(app, "--siamese-from", options.siamese_from, 0, most_steps,
                   "step at which the siamese half joins");
  add_number(app, "--siamese-weight", options.siamese_weight, 0, 1e6, "w");
  add_number(app, "--rate", options.rate, 1e-9, 10, "learning rate");
  add_number(app, "--temperature", options.temperature, 1e-3, 1e3, "of NT-Xent");
  add_whole_number(app, "--neighbours", options.neighbours, 0, 1000,
                   "of a picture by the denoiser, one of which is its second view; 0: itself");
  add_whole_number(app, "--encoder-width", options.encoder_width, 1, 16,
                   "times the channels of the small backbone");
  add_number(app, "--p2-k", options.p2_k, 0, 1e6,
             "weights the diffusion loss by 1/(k + SNR); 0: SNR^0.1/(1 + SNR)");
  add_number(app, "--price", options.price, 0, 1e6, "of a nat that z says; 0: free");
  add_whole_number(app, "--subsets", options.subsets, 1, 64, "k, the subsets of z");
  add_number(app, "--beta", options.beta, 0, 1e6, "of the beta-VAE");
  add_number(app, "--least-area", options.least_area, 0.01, 1, "of a view's crop");
  add_number(app, "--blur", options.blur, 0, 1, "probability in a view");
  add_number(app, "--erase", options.erase, 0, 1, "probability in a view");
  add_number(app, "--jitter", options.jitter, 0, 1, "of brightness and contrast");
  return run_program(app, argc, argv, [&] {
    if (!list) return run(options);
    for (std::string const& name : method_names()) say(name);
  });
}
