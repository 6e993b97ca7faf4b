// All measures of the main job: DiffSiam's features beside those of the controls, and what z gives back.
#pragma once

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include <diffsiam/train/stage.hpp>

#include <experiments/support/joined_features.hpp>
#include <experiments/support/retrieval.hpp>
#include <experiments/support/run_data.hpp>

namespace experiments {

/// One kind of features.
struct FeatureScores {
  std::string name;  ///< on pages
  std::string key;   ///< in result.json
  ds::Index dims = 0;
  std::optional<Score> labels{};    ///< where the pictures have labels
  std::optional<double> retrieval;  ///< where they have none
};

struct Results {
  std::vector<FeatureScores> features;           ///< ours first
  std::vector<SubsetScore> subsets;              ///< of labels
  std::optional<ds::eval::SubsetFactorMap> map;  ///< of subsets by classes
  DiffusionScore diffusion;
  std::vector<ds::model::TimestepLoss> by_timestep;
  std::vector<float> z_test;  ///< of the test pictures, (n, latent_dims)
  ds::train::StageSpeed denoiser_speed, diffsiam_speed;
};

namespace detail {

inline constexpr char const* joined_name = "DiffSiam and the denoiser's activations";
/// More training pictures than dims, so that a probe of the joined features does not learn them by heart.
[[nodiscard]] inline bool joins_activations(RunConfig const& config, Pictures const& pictures) {
  return config.activations > 0 && pictures.train.size() > config.latent_dims + config.activations;
}

template <class B>
void measure_labels(Results& results, typename B::Context& context, ds::DiffSiam<B> const& model,
                    ds::ModularEncoder<B> const& untrained, Pictures const& pictures, RunConfig const& config,
                    ds::dist::CommunicatorRef const& ranks, ds::ThreadPool& threads) {
  LabelSet const labels{pictures};
  say("measuring: features of DiffSiam");
  auto const encoding = encoding_of(pictures.train, ranks);
  FeatureSet const z = encode_parts(context, model.encoder(), pictures, encoding);
  FeatureSet const untrained_z = encode_parts(context, untrained, pictures, encoding);
  std::optional<FeatureSet> joined;
  if (joins_activations(config, pictures)) {
    JoinedFeatures<B> const features{context, model, pictures.train, config.activations, threads, ranks};
    joined = {features.dims(), features(pictures.train), features(pictures.validation),
              features(pictures.test)};
  }
  if (ranks.rank() != 0) return;
  auto const add = [&](char const* name, char const* key, FeatureSet const& set) {
    results.features.push_back({name, key, set.dims, score(set, labels, threads), std::nullopt});
  };
  add("DiffSiam", "diffsiam", z);
  if (joined) add(joined_name, "joined", *joined);
  results.subsets = subset_scores(z, labels, model.partition(), threads);
  if (pictures.train.size() > z.dims) results.map = subset_class_map(z, labels, model.partition(), threads);
  say("measuring: the controls");
  FeatureSet const raw = raw_pixels(pictures);
  add("PCA of the same width", "pca", pca_features(raw, z.dims, threads));
  add("randomly initialised encoder", "random_encoder", untrained_z);
  add("raw pixels", "raw_pixels", raw);
  results.z_test = z.test;
}

template <class B>
void measure_retrieval(Results& results, typename B::Context& context, ds::DiffSiam<B> const& model,
                       ds::ModularEncoder<B> const& untrained, Pictures const& pictures,
                       RunConfig const& config, ds::ThreadPool& threads) {
  say("measuring: features of DiffSiam and of the controls");
  ViewPairs const pairs{pictures.test, config.seed};
  auto const add = [&](char const* name, char const* key, ds::Index dims, auto const& features) {
    results.features.push_back(
        {name, key, dims, std::nullopt, view_retrieval(pairs, dims, features, threads)});
  };
  auto const encode_by = [&](ds::ModularEncoder<B> const& encoder) {
    return [&](ds::data::Dataset const& set) {
      return ds::eval::encode(context, encoder, set, encoding_of(set));
    };
  };
  ds::Index const dims = model.encoder().latent_dims(), pixels = pictures.train.image_size();
  auto const some = pictures.train.slice(0, std::min<ds::Index>(10000, pictures.train.size())).units();
  auto const pca =
      ds::eval::Pca::fit(features_of(some, pixels), {.components = dims, .allow_fewer = true}, &threads);
  auto const raw = [](ds::data::Dataset const& set) { return set.units(); };
  add("DiffSiam", "diffsiam", dims, encode_by(model.encoder()));
  if (joins_activations(config, pictures)) {
    JoinedFeatures<B> const joined{context, model, pictures.train, config.activations, threads};
    add(joined_name, "joined", joined.dims(), joined);
  }
  add("PCA of the same width", "pca", pca.components(), [&](ds::data::Dataset const& set) {
    auto const units = set.units();
    return pca(features_of(units, pixels), &threads);
  });
  add("randomly initialised encoder", "random_encoder", dims, encode_by(untrained));
  add("raw pixels", "raw_pixels", pixels, raw);
  results.z_test = ds::eval::encode(context, model.encoder(), pictures.test, encoding_of(pictures.test));
}

}  // namespace detail

/// Ranks encode the parts together; the rest is for rank 0 alone, and only its results are whole.
///
/// With labels the probe, k-NN and what each subset tells of the class; without labels the retrieval of
/// views. Diffusion losses in both cases.
template <class B>
[[nodiscard]] Results measure(typename B::Context& context, ds::DiffSiam<B> const& model, RunData const& data,
                              RunConfig const& config, ds::dist::CommunicatorRef const& ranks,
                              ds::ThreadPool& threads) {
  Results results;
  Pictures const& pictures = data.pictures;
  ds::ModularEncoder<B> const untrained{context, encoder_config<B>(config)};
  if (data.labelled())
    detail::measure_labels(results, context, model, untrained, pictures, config, ranks, threads);
  if (ranks.rank() != 0) return results;
  if (!data.labelled())
    detail::measure_retrieval(results, context, model, untrained, pictures, config, threads);
  say("measuring: diffusion losses on held-out pictures");
  results.diffusion = diffusion_score(context, model, pictures.test,
                                      std::min<ds::Index>(2000, pictures.test.size()), config.seed);
  results.by_timestep = losses_by_timestep(context, model, pictures.test, config.seed);
  return results;
}

/// result.json: {"linear_probe": {"diffsiam": ..., "pca": ..., ...}, "knn": {...}, "diffusion_loss": {...},
/// ...}
inline void write_result(Results const& results, RunConfig const& config, std::filesystem::path const& folder,
                         double seconds) {
  nlohmann::ordered_json result;
  for (FeatureScores const& features : results.features) {
    if (features.labels) {
      result["linear_probe"][features.key] = features.labels->linear_probe;
      result["knn"][features.key] = features.labels->knn;
    }
    if (features.retrieval) result["view_retrieval"][features.key] = *features.retrieval;
  }
  result.update({{"diffusion_loss",
                  {{"denoiser", results.diffusion.denoiser},
                   {"diffsiam", results.diffusion.diffsiam},
                   {"diffsiam_z_shuffled", results.diffusion.diffsiam_z_shuffled}}},
                 {"seconds", seconds},
                 {"peak_bytes", peak_bytes()},
                 {"images_per_second", results.diffsiam_speed.images_per_second},
                 {"config", config.json()}});
  ds::io::write_file(folder / "result.json", result.dump(2) + "\n");
}

/// The same for who looks at the terminal.
inline void print_results(Results const& results, RunConfig const& config) {
  bool const labels = !results.subsets.empty();
  std::printf("\n%-40s %14s %14s\n", "features", labels ? "linear probe" : "view retrieval",
              labels ? "k-NN (k = 20)" : "");
  for (FeatureScores const& each : results.features) {
    if (each.labels)
      std::printf("%-40s %13.1f%% %13.1f%%\n", each.name.c_str(), 100 * each.labels->linear_probe,
                  100 * each.labels->knn);
    else
      std::printf("%-40s %13.1f%%\n", each.name.c_str(), 100 * each.retrieval.value_or(0));
  }
  if (labels) std::printf("\nfirst m of %d subsets:", config.subsets);
  for (auto const& s : results.subsets) std::printf("  m = %d %.1f%%", s.subsets, 100 * s.linear_probe);
  std::printf("\ndiffusion loss, held out: denoiser %.5f, DiffSiam %.5f, with z of another picture %.5f\n\n",
              results.diffusion.denoiser, results.diffusion.diffsiam, results.diffusion.diffsiam_z_shuffled);
}

}  // namespace experiments
