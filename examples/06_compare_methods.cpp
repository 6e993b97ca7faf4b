// Trains one method on one data set and measures its features: a cell of the table in docs/results.md. What
// is there already is not run again.
//
//   scripts/experiments                                      the whole table, and the page
//   build/demo/examples/compare_methods --data shapes --method diffsiam --seed 0 --results docs/results.jsonl
//
// ctest: --data shapes --method diffsiam --pictures 300 --pairs 4 --steps 3 --siamese-batch 16
//   --again --denoiser-steps 2 --runs @OUT@ --weights @OUT@ --results @OUT@/results.jsonl

#include <filesystem>
#include <optional>
#include <string>

#include <CLI/CLI.hpp>

#include "support/experiment/methods.hpp"
#include "support/experiment/order.hpp"
#include "support/experiment/results.hpp"
#include "support/program.hpp"

namespace {

using namespace example;

struct Options {
  std::string data = "fashion", method = "diffsiam";
  std::uint64_t seed = 0;
  std::filesystem::path results = "docs/results.jsonl", runs = "runs/experiments",
                        weights = "examples/weights", fashion{ds::data::FashionMnist::debian_folder};
  bool resume = false;
  bool again = false;
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
};

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
    (void)train_denoiser(*run.context, denoiser, run.data->pictures, config, run.folder, options.resume,
                         run.data->flip);
    ds::io::save_weights(path, denoiser, ds::io::Dtype::F16);
  }
  ds::io::load_weights(path, denoiser);  // as rounded, so that every run sees the same
}

void run(Options const& options) {
  Cell const cell{options.data, options.method, options.seed};
  ResultFile results{options.results};
  if (results.has(cell) && !options.again) {
    say(options.data + " " + options.method + " " + std::to_string(options.seed) + ": there already");
    return;
  }
  ExperimentData const data = load(options);
  B::Context context{{.threads = options.threads}};
  Run run{&context,
          &data,
          options.recipe(),
          {options.runs / (options.data + "." + options.method + "." + std::to_string(options.seed))},
          options.seed,
          options.resume};
  std::filesystem::create_directories(run.folder.root);
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
  results.append(cell, z.dims, list.entries());
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  CLI::App app{"Trains one method on one data set and measures its features."};
  bool list = false;
  app.add_flag("--list", list, "names the methods");
  app.add_option("--data", options.data, "fashion or shapes")->capture_default_str();
  app.add_option("--method", options.method, "one of --list, or denoiser")->capture_default_str();
  app.add_option("--seed", options.seed, "another random run")->capture_default_str();
  app.add_option("--results", options.results, "JSON lines that gain the cell's")->capture_default_str();
  app.add_option("--runs", options.runs, "folder of the runs")->capture_default_str();
  app.add_option("--weights", options.weights, "folder of the denoisers")->capture_default_str();
  app.add_option("--fashion-mnist", options.fashion, "folder with the IDX files")->capture_default_str();
  app.add_option("--threads", options.threads, "0: all cores; the result does not depend on it")
      ->capture_default_str();
  app.add_option("--pictures", options.pictures, "of each part; 0: all")->capture_default_str();
  app.add_option("--pairs", options.pairs, "of each factor, where they are asked for")->capture_default_str();
  app.add_option("--denoiser-steps", options.denoiser_steps, "where it is trained")->capture_default_str();
  app.add_flag("--resume", options.resume, "goes on with the interrupted training in the folder of the run");
  app.add_flag("--again", options.again, "also what is there already; the last results count");
  app.add_flag("--validation-only", options.validation_only,
               "shows the curve on validation pictures and writes nothing: to choose settings by");
  app.add_option("--steps", options.steps, "of training");
  app.add_option("--batch", options.batch, "pictures of the diffusion half");
  app.add_option("--siamese-batch", options.siamese_batch, "pictures of the siamese half");
  app.add_option("--siamese-from", options.siamese_from, "step at which the siamese half joins");
  app.add_option("--siamese-weight", options.siamese_weight, "w");
  app.add_option("--rate", options.rate, "learning rate");
  app.add_option("--temperature", options.temperature, "of NT-Xent");
  app.add_option("--neighbours", options.neighbours,
                 "of a picture by the denoiser, one of which is its second view; 0: itself")
      ->check(CLI::Range(0, 1000));
  app.add_option("--encoder-width", options.encoder_width, "times the channels of the small backbone")
      ->check(CLI::PositiveNumber);
  app.add_option("--p2-k", options.p2_k, "weights the diffusion loss by 1/(k + SNR); 0: SNR^0.1/(1 + SNR)")
      ->check(CLI::NonNegativeNumber);
  app.add_option("--price", options.price, "of a nat that z says; 0: free")->check(CLI::NonNegativeNumber);
  app.add_option("--subsets", options.subsets, "k, the subsets of z");
  app.add_option("--beta", options.beta, "of the beta-VAE");
  app.add_option("--least-area", options.least_area, "of a view's crop");
  app.add_option("--blur", options.blur, "probability in a view");
  app.add_option("--erase", options.erase, "probability in a view");
  app.add_option("--jitter", options.jitter, "of brightness and contrast");
  CLI11_PARSE(app, argc, argv);
  return example::run_program("compare_methods", [&] {
    example::stop_on_interrupt();
    if (!list) return run(options);
    for (std::string const& name : example::method_names()) example::say(name);
  });
}
