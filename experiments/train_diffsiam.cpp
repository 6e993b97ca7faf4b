// The main job: trains a denoiser, then DiffSiam, on Fashion-MNIST; measures what the features know; writes a
// report.
//
//   scripts/demo                                           installs, builds and runs it
//   build/demo/experiments/train_diffsiam --quick --out DIR   the program itself
//
// ctest: --pictures 450 --base 8 --denoiser-steps 3 --steps 3 --siamese-batch 5 --neighbours 5 --overwrite
// --out @OUT@
//
// In DIR: config.json, *.metrics.jsonl, *.checkpoint.safetensors, *.safetensors (weights), report.html, and
// result.json when it is finished.

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <optional>
#include <string>

#include <CLI/CLI.hpp>

#include <diffsiam/train/run_folder.hpp>

#include <experiments/support/activations.hpp>
#include <experiments/support/backends.hpp>
#include <experiments/support/options.hpp>
#include <experiments/support/program.hpp>
#include <experiments/support/report.hpp>
#include <experiments/support/run_start.hpp>
#include <experiments/support/settings.hpp>
#include <experiments/support/training.hpp>
#include <experiments/support/weighting.hpp>

namespace {

using namespace experiments;

struct Options {
  BackendChoice choice;
  bool full = false;
  RunStart start;
  std::filesystem::path folder{"runs/demo"};
  std::filesystem::path data{ds::data::FashionMnist::debian_folder};
  std::uint64_t seed = 0;
  int threads = 0;
  // Settings of the run that were given another value.
  std::optional<std::uint64_t> denoiser_steps, steps;
  std::optional<ds::Index> base_channels, siamese_batch, encoder_width, neighbours;
  std::optional<double> siamese_weight, temperature;
  std::optional<int> subsets;
  ds::Index pictures = 0;  ///< of each part; 0: all of them

  [[nodiscard]] RunConfig config() const {
    RunConfig config = full ? RunConfig::full() : RunConfig::quick();
    config.seed = seed;
    config.threads = threads;
    config.backend = choice.backend;
    config.precision = choice.precision;
    config.denoiser_steps = denoiser_steps.value_or(config.denoiser_steps);
    config.steps = steps.value_or(config.steps);
    config.base_channels = base_channels.value_or(config.base_channels);
    config.siamese_batch = siamese_batch.value_or(config.siamese_batch);
    config.siamese_weight = siamese_weight.value_or(config.siamese_weight);
    config.temperature = temperature.value_or(config.temperature);
    config.neighbours = neighbours.value_or(config.neighbours);
    config.encoder_width = encoder_width.value_or(config.encoder_width);
    config.subsets = subsets.value_or(config.subsets);
    return config;
  }
  [[nodiscard]] PartSizes parts() const { return fashion_parts.first(pictures); }
};

Pictures load_pictures(Options const& options) {
  auto const fashion = ds::data::load_fashion_mnist(options.data);
  // The split does not follow the run's seed: all runs are measured on the same pictures.
  auto const [train, validation] = fashion.train.split(fashion_parts.train, 0);
  PartSizes const parts = options.parts();
  return {train.slice(0, parts.train), validation.slice(0, parts.validation),
          fashion.test.slice(0, parts.test)};
}

void print_table(Results const& results, RunConfig const& config) {
  std::printf("\n%-28s %14s %14s\n", "features", "linear probe", "k-NN (k = 20)");
  for (auto const& [name, s] : results.scores)
    std::printf("%-28s %13.1f%% %13.1f%%\n", name.c_str(), 100 * s.linear_probe, 100 * s.knn);
  std::printf("\nfirst m of %d subsets:", config.subsets);
  for (auto const& s : results.subsets) std::printf("  m = %d %.1f%%", s.subsets, 100 * s.linear_probe);
  std::printf("\ndiffusion loss, held out: denoiser %.5f, DiffSiam %.5f, with z of another picture %.5f\n\n",
              results.diffusion.denoiser, results.diffusion.diffsiam, results.diffusion.diffsiam_z_shuffled);
}

void write_result(Results const& results, RunConfig const& config, std::filesystem::path const& folder,
                  double seconds) {
  nlohmann::ordered_json probe, neighbours;
  std::array<char const*, 4> const keys{"diffsiam", "pca", "random_encoder", "raw_pixels"};
  for (std::size_t i = 0; i < keys.size(); ++i) {
    probe[keys[i]] = results.scores[i].second.linear_probe;
    neighbours[keys[i]] = results.scores[i].second.knn;
  }
  nlohmann::ordered_json const result{{"linear_probe", probe},
                                      {"knn", neighbours},
                                      {"diffusion_loss",
                                       {{"denoiser", results.diffusion.denoiser},
                                        {"diffsiam", results.diffusion.diffsiam},
                                        {"diffsiam_z_shuffled", results.diffusion.diffsiam_z_shuffled}}},
                                      {"seconds", seconds},
                                      {"peak_bytes", peak_bytes()},
                                      {"images_per_second", results.diffsiam_speed.images_per_second},
                                      {"config", config.json()}};
  ds::io::write_file(folder / "result.json", result.dump(2) + "\n");
}

template <class B>
Results measure(typename B::Context& context, ds::DiffSiam<B> const& model, Pictures const& pictures,
                RunConfig const& config, ds::ThreadPool& threads) {
  LabelSet const labels{pictures};
  Results results;
  say("measuring: features of DiffSiam");
  FeatureSet const z = encode_parts(context, model.encoder(), pictures);
  results.scores.emplace_back("DiffSiam", score(z, labels, threads));
  results.subsets = subset_scores(z, labels, model.partition(), threads);
  results.map = subset_class_map(z, labels, model.partition(), threads);
  say("measuring: the controls");
  FeatureSet const raw = raw_pixels(pictures);
  results.scores.emplace_back("PCA of the same width",
                              score(pca_features(raw, config.latent_dims, threads), labels, threads));
  ds::ModularEncoder<B> const untrained{context, encoder_config<B>(config)};
  results.scores.emplace_back("randomly initialised encoder",
                              score(encode_parts(context, untrained, pictures), labels, threads));
  results.scores.emplace_back("raw pixels", score(raw, labels, threads));
  say("measuring: diffusion losses on held-out pictures");
  results.diffusion = diffusion_score(context, model, pictures.test,
                                      std::min<ds::Index>(2000, pictures.test.size()), config.seed);
  results.by_timestep = losses_by_timestep(context, model, pictures.test, config.seed);
  return results;
}

template <class B>
void run(Options const& options) {
  RunConfig const config = options.config();
  std::filesystem::path const& folder = options.folder;
  bool const resume = options.start.resume;
  require_valid(config, options.parts());
  auto settings = config.json();
  if (options.pictures > 0) settings["pictures"] = options.pictures;
  ds::train::RunFolder const claim{folder,
                                   settings,
                                   {.resume = resume,
                                    .overwrite = options.start.overwrite,
                                    .stages = {"denoiser", "diffsiam"},
                                    .others = {"probe.metrics.jsonl", "reconstructions.png", "report.html"},
                                    .last = "result.json",
                                    .may_differ = {"backend", "precision"}}};
  if (claim.finished()) return say("finished already: " + (folder / "report.html").string());
  Pictures const pictures = load_pictures(options);
  claim.take();

  auto context = make_context<B>(config.threads);
  ds::ThreadPool threads{config.threads};  // for measures, which are taken on the host
  Clock::time_point const start = Clock::now();
  ds::UNet<B> const denoiser{context, denoiser_config(config)};
  ds::ModularEncoder<B> const encoder{context, encoder_config<B>(config)};
  say("denoiser: " + std::to_string(ds::parameters(denoiser).size()) + " parameters; run " + config.name +
      " in " + folder.string());

  StageSpeed const denoiser_speed = train_denoiser(context, denoiser, pictures, config, folder, resume);
  ds::DiffSiam<B> const model{
      encoder,
      ds::ShiftDecoder<B>{context, denoiser, {.latent_dims = config.latent_dims, .seed = config.seed + 2}},
      {},
      LossWeighting{config.p2_k}};
  say("DiffSiam: " + std::to_string(ds::parameters(model).size()) +
      " trainable parameters beside the frozen denoiser");
  std::optional<ds::data::Partners> partners;
  if (config.neighbours > 0) {
    say("neighbours of the training pictures, by the denoiser");
    partners = denoiser_partners(context, denoiser, pictures.train, config.neighbours, threads);
  }
  ProbeCurve curve{threads, pictures, folder / "probe.metrics.jsonl", resume};
  auto const look = [&](std::uint64_t step) { curve.look(context, model.encoder(), step); };
  StageSpeed const diffsiam_speed =
      train_diffsiam(context, model, pictures, config, folder, resume, partners, look);
  Results results = measure(context, model, pictures, config, threads);
  results.denoiser_speed = denoiser_speed;
  results.diffsiam_speed = diffsiam_speed;
  say("drawing the report");
  write_report(context, model, pictures, config, results, folder, seconds_since(start));
  write_result(results, config, folder, seconds_since(start));
  print_table(results, config);
  say("report: " + (folder / "report.html").string());
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  CLI::App app{"Trains a denoiser and DiffSiam on Fashion-MNIST and reports what the features know.",
               "train_diffsiam"};
  bool quick = false;
  app.add_flag("--quick", quick, "under ten minutes on two cores (default)");
  app.add_flag("--full", options.full, "trains as long as it pays")->excludes("--quick");
  add_start_options(app, options.start);
  app.add_option("--out", options.folder, "folder of the run")->capture_default_str();
  app.add_option("--data", options.data, "folder with the IDX files of Fashion-MNIST")->capture_default_str();
  add_seed(app, options.seed);
  add_threads(app, options.threads);
  add_backend_options(app, options.choice);
  auto const settings = [&](char const* name, auto& value, std::int64_t least, std::int64_t most,
                            char const* what) {
    add_whole_number(app, name, value, least, most, what)->group("Settings");
  };
  settings("--denoiser-steps", options.denoiser_steps, 1, most_steps, "steps of the first stage");
  settings("--steps", options.steps, 1, most_steps, "steps of the second stage");
  settings("--base", options.base_channels, 8, 1024,
           "channels of the denoiser's first level, a multiple of 8");
  settings("--siamese-batch", options.siamese_batch, 2, 16384, "pictures of the siamese half");
  add_number(app, "--siamese-weight", options.siamese_weight, 0, 1e6, "w in L_diffusion + w L_siamese")
      ->group("Settings");
  add_number(app, "--temperature", options.temperature, 1e-3, 1e3, "of NT-Xent")->group("Settings");
  settings("--neighbours", options.neighbours, 0, 1000,
           "of a picture by the denoiser, one of which is its second view; 0: itself");
  settings("--encoder-width", options.encoder_width, 1, 16, "times the channels of the small encoder");
  settings("--subsets", options.subsets, 1, 64, "k; 1 is PDAE");
  add_whole_number(app, "--pictures", options.pictures, fewest_pictures, fashion_parts.train,
                   "use only the first ones of each part")
      ->group("Settings");
  return run_program(app, argc, argv,
                     [&] { with_backend(options.choice, [&]<class B>() { run<B>(options); }); });
}
