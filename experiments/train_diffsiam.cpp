// The main job: trains a denoiser, then DiffSiam, on Fashion-MNIST or on a folder of pictures; measures what
// the features know; writes a report.
//
//   scripts/demo                                              installs, builds and runs it
//   scripts/demo --data ~/Pictures --out runs/mine            the same on your own pictures
//   mpirun -n 4 build/demo/experiments/train_diffsiam --out DIR   in four processes (docs/scaling.md)
//   build/demo/experiments/train_diffsiam --quick --out DIR   the program itself
//
// ctest: --pictures 450 --base 8 --denoiser-steps 3 --steps 3 --siamese-batch 5 --neighbours 5 --activations
// 8 --overwrite
// --out @OUT@
//
// In DIR: config.json; of both stages *.metrics.jsonl, *.checkpoint.safetensors and *.safetensors (weights);
// model.safetensors (ds::load reads it); features.safetensors (all of z, with names and labels); report.html,
// and result.json when it is finished; pictures.cache.safetensors where pictures had to be decoded.

#include <algorithm>
#include <array>
#include <cstdio>
#include <filesystem>
#include <numeric>
#include <optional>
#include <string>

#include <CLI/CLI.hpp>

#include <diffsiam/eval/feature_files.hpp>
#include <diffsiam/io/json_file.hpp>
#include <diffsiam/io/model_file.hpp>
#include <diffsiam/train/run_folder.hpp>

#include <experiments/support/activations.hpp>
#include <experiments/support/backends.hpp>
#include <experiments/support/data_kinds.hpp>
#include <experiments/support/options.hpp>
#include <experiments/support/program.hpp>
#include <experiments/support/ranks.hpp>
#include <experiments/support/report.hpp>
#include <experiments/support/run_estimate.hpp>
#include <experiments/support/run_start.hpp>
#include <experiments/support/settings.hpp>
#include <experiments/support/training.hpp>
#include <experiments/support/weighting.hpp>

namespace {

using namespace experiments;

struct Options {
  BackendChoice choice;
  bool full = false, estimate_only = false, tensorboard = false;
  RunStart start;
  std::filesystem::path folder{"runs/demo"}, settings_file;
  DataOptions data;
  std::uint64_t seed = 0;
  int threads = 0, rank_timeout = default_rank_timeout;
  nlohmann::ordered_json given;  ///< settings of the file of settings, and of the command line
  ds::Index pictures = 0;        ///< of each part; 0: all of them

  /// Keeps what the file of settings says, and the command line, which comes before it. Throws ConfigError
  /// for what is wrong whatever the pictures are, FileError.
  void take_given(nlohmann::ordered_json const& command_line) {
    RunConfig checked;
    if (!settings_file.empty()) {
      given = ds::io::read_json_object(settings_file);
      take_checked_settings(checked, given, settings_file);
    }
    given.update(command_line);
    take_settings(checked, given);
    require_valid_networks(checked);
  }
  /// Defaults for such pictures, changed by what was given.
  [[nodiscard]] RunConfig config(DataPlan const& plan, int ranks) const {
    RunConfig config = with_batches_below(RunConfig::for_pictures(plan.size, plan.channels, full),
                                          plan.parts.first(pictures).train);
    config.seed = seed;
    config.threads = threads;
    config.backend = choice.backend;
    config.precision = choice.precision;
    config.tensorboard = tensorboard;
    config.pieces = pieces_for(ranks);
    take_settings(config, given);
    return config;
  }
  /// Those of the run that goes on; otherwise a power of two, enough for all ranks.
  [[nodiscard]] int pieces_for(int ranks) const {
    auto const saved = folder / "config.json";
    if (start.resume && ds::io::file_exists(saved)) return ds::io::read_json_object(saved).value("pieces", 1);
    int pieces = 1;
    while (pieces < ranks) pieces *= 2;
    return pieces;
  }
};

/// Rank 0 reads first, and leaves the others its cache.
[[nodiscard]] RunData load_pictures(Options const& options, DataPlan const& plan,
                                    ds::dist::CommunicatorRef const& ranks, ds::ThreadPool& threads) {
  auto const cache =
      options.data.cache.empty() ? options.folder / "pictures.cache.safetensors" : options.data.cache;
  if (ranks.rank() != 0) ranks.barrier();
  RunData data = plan.load(cache, threads);
  if (ranks.rank() == 0) ranks.barrier();
  for (auto* const part : {&data.pictures.train, &data.pictures.validation, &data.pictures.test})
    if (options.pictures > 0) *part = part->slice(0, std::min(options.pictures, part->size()));
  for (std::string const& sentence : data.found) say(sentence);
  return data;
}

/// All that the weights depend on.
[[nodiscard]] nlohmann::ordered_json settings_of(Options const& options, DataPlan const& plan,
                                                 RunConfig const& config) {
  auto settings = config.json();
  settings.update(plan.settings);
  if (options.pictures > 0) settings["pictures"] = options.pictures;
  return settings;
}

/// Files for programs that use what was learned: the model, and z of all pictures, training pictures first.
template <class B>
void save_for_use(typename B::Context& context, ds::DiffSiam<B> const& model, RunData const& data,
                  ds::dist::CommunicatorRef const& ranks, std::filesystem::path const& folder) {
  say("writing model.safetensors and features.safetensors");
  bool const first = ranks.rank() == 0;
  if (first) ds::save(folder / "model.safetensors", model);
  ds::eval::FeatureSet all{.dims = model.encoder().latent_dims(), .class_names = data.class_names};
  std::vector<int> subsets(static_cast<std::size_t>(model.partition().subsets()));
  std::iota(subsets.begin(), subsets.end(), 0);
  auto const columns = ds::eval::Columns::of(model.partition(), subsets);
  auto const& [train, validation, test] = data.pictures;
  for (ds::data::Dataset const& part : {train, validation, test}) {
    ds::eval::EncodeConfig config = encoding_of(part, ranks);
    config.columns = columns;
    auto const set = ds::eval::encode_set(context, model.encoder(), part, config);
    all.count += set.count;
    all.subsets = set.subsets;
    all.values.insert(all.values.end(), set.values.begin(), set.values.end());
    all.labels.insert(all.labels.end(), set.labels.begin(), set.labels.end());
    for (ds::Index i = 0; i < part.size() && !data.names.empty(); ++i)
      all.names.push_back(data.names[static_cast<std::size_t>(part.origin(i))]);
  }
  if (first) ds::eval::write_features(folder / "features.safetensors", all);
}

template <class B>
void train_and_measure(Options const& options, RunConfig const& config, DataPlan const& plan,
                       RunData const& data, ds::dist::CommunicatorRef const& ranks,
                       typename B::Context& context, ds::ThreadPool& threads) {
  std::filesystem::path const& folder = options.folder;
  Pictures const& pictures = data.pictures;
  bool const resume = options.start.resume;
  Clock::time_point const start = Clock::now();
  ds::UNet<B> const denoiser{context, denoiser_config(config)};
  ds::ModularEncoder<B> const encoder{context, encoder_config<B>(config)};
  say("run " + config.name + " in " + folder.string());
  StageSpeed const denoiser_speed =
      train_denoiser(context, denoiser, pictures, config, folder, resume, ranks, plan.flip);
  ds::DiffSiam<B> const model{
      encoder,
      ds::ShiftDecoder<B>{context, denoiser, {.latent_dims = config.latent_dims, .seed = config.seed + 2}},
      {},
      LossWeighting{config.p2_k}};
  std::optional<ds::data::Partners> partners;
  if (config.neighbours > 0) {
    say("neighbours of the training pictures, by the denoiser");
    partners = denoiser_partners(context, denoiser, pictures.train, config.neighbours, threads, ranks);
  }
  std::optional<ProbeLog> probe_log;
  if (data.labelled()) probe_log.emplace(ranks, threads, pictures, folder / "probe.metrics.jsonl", resume);
  auto const look = [&](std::uint64_t step) {
    if (probe_log) probe_log->look(context, model.encoder(), step);
  };
  StageSpeed const diffsiam_speed =
      train_diffsiam(context, model, pictures, config, folder, resume, partners, look, ranks);
  save_for_use(context, model, data, ranks, folder);
  Results results = measure(context, model, data, config, ranks, threads);
  if (ranks.rank() != 0) return;
  results.denoiser_speed = denoiser_speed;
  results.diffsiam_speed = diffsiam_speed;
  say("drawing the report");
  write_report(context, model, data, config, plan.title, results, folder, threads, seconds_since(start));
  write_result(results, config, folder, seconds_since(start));
  print_results(results, config);
  say("report: " + (folder / "report.html").string());
}

template <class B>
void run(Options const& options, ds::dist::CommunicatorRef const& ranks) {
  DataPlan const plan = plan_data(options.data);
  RunConfig const config = options.config(plan, ranks.size());
  require_valid_batches(config, plan.parts.first(options.pictures));
  ds::train::RunFolder const claim{options.folder,
                                   settings_of(options, plan, config),
                                   {.resume = options.start.resume,
                                    .overwrite = options.start.overwrite,
                                    .stages = {"denoiser", "diffsiam"},
                                    .others = {"probe.metrics.jsonl", "model.safetensors",
                                               "features.safetensors", "reconstructions.png", "report.html"},
                                    .last = "result.json",
                                    .may_differ = {"backend", "precision"}}};
  ds::dist::require_same(ranks, "settings", claim.settings().dump(2));  // and all have looked into the folder
  if (claim.finished()) return say("finished already: " + (options.folder / "report.html").string());
  for (std::string const& sentence : plan.found) say(sentence);
  auto context = make_context<B>(config.threads);
  ds::ThreadPool threads{config.threads};  // for decoders and measures, which run on the host
  if (options.estimate_only) return say(shown(estimate_run<B>(context, config)));
  if (ranks.rank() == 0) claim.take();
  RunData const data = load_pictures(options, plan, ranks, threads);
  PartSizes const parts{data.pictures.train.size(), data.pictures.validation.size(),
                        data.pictures.test.size()};
  require_enough(parts);
  require_classes(data.pictures);
  require_valid_batches(config, parts);
  if (ranks.size() == 1) say(shown(estimate_run<B>(context, config)));
  train_and_measure<B>(options, config, plan, data, ranks, context, threads);
  ranks.barrier();
}

void add_data_options(CLI::App& app, DataOptions& data) {
  auto const named = [&](CLI::Option* option) { option->group("Pictures"); };
  named(app.add_option("--data", data.data,
                       "a folder of PNG, JPEG and WebP files; or Fashion-MNIST (IDX), CIFAR (binary), "
                       "STL-10, CelebA, LMDB, "
                       "or a file of arrays (.npy, .npz, .safetensors)")
            ->capture_default_str());
  named(add_whole_number(app, "--size", data.size, 8, RunConfig::largest_side,
                         "side to which pictures are brought; 0: 32, or that of the data set")
            ->default_str(""));
  named(app.add_option("--channels", data.channels, "1: grey, 3: colour")
            ->check(CLI::IsMember({1, 3}))
            ->default_str(""));
  named(app.add_option("--fit", data.fit, "what happens to pictures that are not square")
            ->check(CLI::IsMember({"crop", "pad", "stretch"}))
            ->capture_default_str());
  named(app.add_option("--ground", data.ground,
                       "what shows through transparent pixels and around padded pictures")
            ->check(CLI::IsMember({"white", "black"}))
            ->capture_default_str());
  named(app.add_option(
      "--labels", data.labels,
      "a table of lines file,label; an attribute of CelebA; or the .npy file of labels of one of pictures; "
      "otherwise sub-folders are classes"));
  named(app.add_option("--cache", data.cache, "file of decoded pictures, which other runs can share"));
  named(app.add_flag("--skip-unreadable", data.skip_unreadable,
                     "leaves out pictures that cannot be read, and says how many"));
  named(app.add_flag("--keep-duplicates", data.keep_duplicates,
                     "keeps pictures that are equal to another one; otherwise the first of them counts"));
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  CLI::App app{"Trains a denoiser and DiffSiam on pictures and reports what the features know.",
               "train_diffsiam"};
  bool quick = false;
  app.add_flag("--quick", quick, "under ten minutes on two cores for small pictures (default)");
  app.add_flag("--full", options.full, "trains as long as it pays")->excludes("--quick");
  app.add_flag("--estimate", options.estimate_only, "prints what the run will take, and ends");
  app.add_flag("--tensorboard", options.tensorboard, "writes the curves of training for TensorBoard, too");
  add_start_options(app, options.start);
  app.add_option("--out", options.folder, "folder of the run")->capture_default_str();
  add_data_options(app, options.data);
  add_seed(app, options.seed);
  add_threads(app, options.threads);
  add_backend_options(app, options.choice);
  add_rank_timeout(app, options.rank_timeout);
  app.add_option("--settings", options.settings_file,
                 "a JSON file with some of the settings below; options of the command line come before it");
  RunConfig settings;
  add_setting_options(app, settings, false);  // the defaults depend on the pictures
  add_whole_number(app, "--pictures", options.pictures, fewest_pictures, fashion_parts.train,
                   "use only the first ones of each part");
  return run_program(app, argc, argv, [&] {
    options.take_given(given_settings(app, settings));
    with_ranks(options.rank_timeout, [&](ds::dist::CommunicatorRef const& ranks) {
      with_backend(options.choice, [&]<class B>() { run<B>(options, ranks); });
    });
  });
}
