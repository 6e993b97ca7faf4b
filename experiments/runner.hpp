// One cell of the table: a method trained on a data set, and measured.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include <diffsiam/dist/single_process.hpp>
#include <diffsiam/train/run_folder.hpp>

#include <experiments/features.hpp>
#include <experiments/order.hpp>
#include <experiments/results.hpp>
#include <experiments/support/run_start.hpp>

namespace experiments {

/// Which cell, and with what.
struct CellOptions {
  std::string data = "fashion", method = "diffsiam";
  nlohmann::ordered_json recipe_settings{};  ///< of the recipe, in place of the data set's
  std::uint64_t seed = 0;
  ds::Index pictures = 0;
  ds::Index pairs = 512;  ///< with 64 the order relied on is mostly noise
  std::uint64_t denoiser_steps = 1600;
  std::uint64_t denoiser_seed = 0;  ///< apart from `seed`, so that runs of several seeds share one denoiser

  std::filesystem::path results = "runs/results.jsonl", runs = "runs/experiments",
                        weights = "experiments/weights";
  DataFolders folders;
  RunStart start;
  bool validation_only = false;  ///< no results: settings are chosen by the curve
  int threads = 0;

  /// See settings.hpp.
  template <class Self, class F>
  static void for_each_setting(Self& self, F&& f) {
    f("seed", self.seed, 0, most_seed, "another random run");
    f("pictures", self.pictures, fewest_pictures, fashion_parts.train,
      "use only the first ones of each part");
    f("pairs", self.pairs, 1, 5000, "of pictures that differ in one factor, where they are asked for");
    f("denoiser_steps", self.denoiser_steps, 1, most_steps, "where it is trained");
    f("denoiser_seed", self.denoiser_seed, 0, most_seed, "of the denoiser, where it is trained");
  }

  [[nodiscard]] Recipe recipe() const {
    Recipe recipe = recipe_for(data_set(data));
    take_settings(recipe, recipe_settings);
    return recipe;
  }
  [[nodiscard]] std::filesystem::path folder() const {
    return {runs / (data + "." + method + "." + std::to_string(seed))};
  }
  /// All that the run depends on.
  [[nodiscard]] nlohmann::ordered_json json() const {
    auto all = json_of_settings(*this);
    all["data"] = data;
    all["method"] = method;
    if (!folders.fonts.empty()) all["fonts"] = folders.fonts.string();
    all["recipe"] = json_of_settings(recipe());
    return all;
  }
};

namespace detail {

/// Throws ConfigError where the method's z is not joined with activations, but the recipe asks for it.
inline void require_joined(Method const& method, Recipe const& recipe) {
  if (recipe.activations == 0) return;
  bool const joins = method.source == Source::autoencoder || method.source == Source::beta_vae ||
                     method.source == Source::pca ||
                     (method.source == Source::encoder && recipe.turn == Turn::none && !recipe.feature_order);
  if (!joins)
    ds::fail<ds::ConfigError>("--activations", {"0, since the features of ", method.name, " stand alone"},
                              recipe.activations, "the encoder's z, PCA and autoencoders can be joined");
}

/// Throws ConfigError for a given setting that is another one in the method's recipe, or that a method which
/// trains nothing does not read.
inline void require_taken(Method const& method, nlohmann::ordered_json const& given, Recipe const& recipe) {
  constexpr std::array<std::string_view, 4> read_untrained{"dims", "activations", "average_flips",
                                                           "encoder_width"};
  auto const taken = json_of_settings(recipe);
  for (auto const& [name, value] : given.items()) {
    if (!method.trains() &&
        std::find(read_untrained.begin(), read_untrained.end(), name) == read_untrained.end())
      ds::fail<ds::ConfigError>(option_of(name), {"a method that trains, since ", method.name, " does not"},
                                value.dump());
    if (taken[name] != value)
      ds::fail<ds::ConfigError>(option_of(name),
                                {taken[name].dump(), ", as the method ", method.name, " has"}, value.dump());
  }
}

/// No row of the table: it trains the denoiser of a data set, and ends.
inline constexpr Method denoiser_alone{.name = "denoiser", .title = "denoiser", .source = Source::denoiser};

[[nodiscard]] inline Method const& method_of(CellOptions const& options) {
  if (options.method == denoiser_alone.name) return denoiser_alone;
  return named(methods, "--method", options.method);
}

/// Throws ConfigError where the settings of a recipe do not fit each other, or the pictures.
inline void require_valid(Recipe const& recipe, PartSizes const& parts) {
  bool const siamese = recipe.siamese != Siamese::none;
  if (recipe.diffusion) require_batch("--batch", recipe.batch, parts);
  if (siamese) require_batch("--siamese-batch", recipe.siamese_batch, parts);
  if (siamese && recipe.diffusion && recipe.siamese_from >= recipe.steps)
    ds::fail<ds::ConfigError>("--siamese-from", {"a step before the last, ", recipe.steps},
                              recipe.siamese_from);
  if (recipe.feature_order)
    require_at_most("--batch", recipe.batch, recipe.order_pictures, "as many as --order-pictures");
  require_neighbours(recipe.neighbours, parts);
  require_subsets(recipe.subsets, recipe.dims);
}

/// The frozen denoiser of a data set: read from its file, or trained once and kept there in half precision.
inline void load_or_train_denoiser(CellOptions const& options, Run const& run, ds::UNet<B> const& denoiser) {
  auto const path = options.weights / (options.data + "_denoiser.safetensors");
  if (!ds::io::file_exists(path)) {
    ds::io::create_folder(options.weights);
    RunConfig config;
    config.seed = options.denoiser_seed;
    config.denoiser_steps = options.denoiser_steps;
    config.denoiser_batch = 64;
    config.denoiser_rate = 1e-3;
    ds::dist::SingleProcess alone;
    (void)train_denoiser(*run.context, denoiser, run.data->pictures, config, run.folder, run.resume, alone,
                         run.data->set->flip);
    ds::io::save_weights(path, denoiser, ds::io::Dtype::F16);
  }
  ds::io::load_weights(path, denoiser);  // as rounded, so that every run sees the same
}

/// Everything that there is to measure of a method.
inline void measure(MeasureList& list, Run const& run, Method const& method, MethodResult const& result,
                    ds::UNet<B> const& denoiser, ds::Index pairs) {
  auto const& [z, partition, model, dim_steps] = result;
  ExperimentData const& data = *run.data;
  ds::ThreadPool& threads = run.context->threads();
  bool const parts = partition && partition->subsets() > 1;
  measure_reading(list, z, data, threads);
  measure_attributes(list, z, data, threads);
  if (data.factors.factors() > 1 && z.dims <= 256)
    measure_disentanglement(list, z, partition ? ds::eval::subset_groups(*partition) : ds::eval::DimGroups{},
                            data, threads);
  if (parts) measure_order(list, z, *partition, data, threads);
  if (data.set->draws_pairs && model && parts) measure_use(list, *run.context, *model, data.factors, pairs);
  if (data.set->draws_pairs && !dim_steps.empty()) measure_dim_steps(list, z, dim_steps, data.factors);
  if (data.set->draws_pairs && method.source == Source::denoiser)
    measure_lost_steps(list, *run.context, denoiser, data.factors, pairs);
  list.add("peak_bytes", static_cast<double>(peak_bytes()));
}

}  // namespace detail

/// Trains and measures, unless the cell is in the results already. Throws ConfigError for settings that do
/// not fit, before anything is read or written.
inline void run_cell(CellOptions const& options) {
  Cell const cell{options.data, options.method, options.seed};
  DataSet const& set = data_set(options.data);
  Method const& method = detail::method_of(options);
  Recipe const recipe = recipe_of(method, options.recipe());
  detail::require_taken(method, options.recipe_settings, recipe);
  detail::require_joined(method, recipe);
  if (method.source == Source::encoder) detail::require_valid(recipe, set.parts.first(options.pictures));
  ResultFile results{options.results};
  if (results.has(cell) && !options.start.overwrite)
    return say(options.data + " " + options.method + " " + std::to_string(options.seed) +
               ": there already, in " + options.results.string());
  ds::train::RunFolder const claim{options.folder(),
                                   options.json(),
                                   {.resume = options.start.resume,
                                    .overwrite = options.start.overwrite,
                                    .stages = {"denoiser", "pilot", "order", "decoder", options.method},
                                    .may_differ = {"backend", "precision"},
                                    .option = "--runs"}};
  ExperimentData const data = first_pictures(set.load(set, options.folders), options.pictures);
  B::Context context{{.threads = options.threads}};
  Run const run{&context,         &data,        options.method,      recipe,
                options.folder(), options.seed, options.start.resume};
  claim.take();
  ds::UNet<B> const denoiser{context, denoiser_config(data, options.denoiser_seed)};
  detail::load_or_train_denoiser(options, run, denoiser);
  if (&method == &detail::denoiser_alone) return;

  MeasureList list;
  Curve curve{run};
  MethodResult const result = features_by(method, run, denoiser, curve);
  list.add_seconds("training_processor_seconds");
  for (Measured const& point : curve.points()) list.add(point);
  if (options.validation_only) return;
  detail::measure(list, run, method, result, denoiser, options.pairs);
  for (Measured const& entry : list.entries())
    if (!entry.measure.starts_with("alone.") && !entry.measure.starts_with("prefix."))
      say("  " + entry.measure + (entry.step ? " at " + std::to_string(*entry.step) : "") + "  " +
          ds::io::format_fixed(entry.value, 4));
  if (options.results.has_parent_path()) ds::io::create_folder(options.results.parent_path());
  results.append(cell, result.z.dims, list.entries());
}

}  // namespace experiments
