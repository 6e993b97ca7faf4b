// What the features know: linear probe and k-NN, and beside them the controls without which the figures mean
// nothing.
#pragma once

#include <algorithm>
#include <array>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include <diffsiam/data/to_tensor.hpp>
#include <diffsiam/eval/encode.hpp>
#include <diffsiam/eval/knn.hpp>
#include <diffsiam/eval/linear_probe.hpp>
#include <diffsiam/eval/pca.hpp>
#include <diffsiam/eval/probe_curve.hpp>
#include <diffsiam/eval/subset_factor_map.hpp>
#include <diffsiam/io/json_lines.hpp>
#include <diffsiam/model/timestep_losses.hpp>

#include <experiments/support/console.hpp>
#include <experiments/support/run_config.hpp>

namespace experiments {

/// Features of the three parts, rows of `dims`.
struct FeatureSet {
  ds::Index dims = 0;
  std::vector<float> train, validation, test;
};

/// Labels of the three parts, in [0, classes). A part may lack the last classes.
struct LabelSet {
  std::vector<int> train, validation, test;
  int classes;
  explicit LabelSet(Pictures const& pictures)
      : train(pictures.train.labels()),
        validation(pictures.validation.labels()),
        test(pictures.test.labels()),
        classes(
            std::max({pictures.train.classes(), pictures.validation.classes(), pictures.test.classes()})) {}
};

[[nodiscard]] inline ds::eval::Features features_of(std::vector<float> const& values, ds::Index dims) {
  return {.values = values, .count = static_cast<ds::Index>(values.size()) / dims, .dims = dims};
}

/// Pictures that are measured at a time: `most` of small ones, and of larger ones as many as take the same
/// memory.
[[nodiscard]] inline ds::Index measured_at_once(ds::data::Dataset const& pictures, ds::Index most) {
  constexpr ds::Index small = RunConfig::small_side * RunConfig::small_side;
  return std::clamp<ds::Index>(most * small / (pictures.height() * pictures.width()), 2, most);
}
/// How such pictures are encoded.
[[nodiscard]] inline ds::eval::EncodeConfig encoding_of(
    ds::data::Dataset const& pictures, std::optional<ds::dist::CommunicatorRef> const& ranks = {}) {
  return {.batch = measured_at_once(pictures, ds::eval::EncodeConfig{}.batch), .ranks = ranks};
}

template <class Encoder>
[[nodiscard]] FeatureSet encode_parts(typename Encoder::Backend::Context& context, Encoder const& encoder,
                                      Pictures const& pictures, ds::eval::EncodeConfig const& config) {
  return {encoder.latent_dims(), ds::eval::encode(context, encoder, pictures.train, config),
          ds::eval::encode(context, encoder, pictures.validation, config),
          ds::eval::encode(context, encoder, pictures.test, config)};
}
[[nodiscard]] inline FeatureSet raw_pixels(Pictures const& pictures) {
  return {pictures.train.image_size(), pictures.train.units(), pictures.validation.units(),
          pictures.test.units()};
}
/// `dims` principal components, or as many as the pictures hold.
[[nodiscard]] inline FeatureSet pca_features(FeatureSet const& raw, ds::Index dims, ds::ThreadPool& threads) {
  auto const pca = ds::eval::Pca::fit(features_of(raw.train, raw.dims),
                                      {.components = dims, .allow_fewer = true}, &threads);
  auto const project = [&](std::vector<float> const& values) {
    return pca(features_of(values, raw.dims), &threads);
  };
  return {pca.components(), project(raw.train), project(raw.validation), project(raw.test)};
}
/// The first `dims` columns.
[[nodiscard]] inline FeatureSet first_columns(FeatureSet const& z, ds::Index dims) {
  auto const cut = [&](std::vector<float> const& values) {
    std::vector<float> result;
    for (std::size_t row = 0; row < values.size(); row += static_cast<std::size_t>(z.dims)) {
      auto const begin = values.begin() + static_cast<std::ptrdiff_t>(row);
      result.insert(result.end(), begin, begin + dims);
    }
    return result;
  };
  return {dims, cut(z.train), cut(z.validation), cut(z.test)};
}

struct Score {
  double linear_probe = 0, knn = 0;
};

[[nodiscard]] inline double probe(FeatureSet const& set, LabelSet const& labels, ds::ThreadPool& threads) {
  return ds::eval::linear_probe({features_of(set.train, set.dims), labels.train},
                                {features_of(set.validation, set.dims), labels.validation},
                                {features_of(set.test, set.dims), labels.test}, {.classes = labels.classes},
                                &threads)
      .accuracy;
}
/// Accuracy of the linear probe and of k-NN (cosine, k = 20) on the test part.
[[nodiscard]] inline Score score(FeatureSet const& set, LabelSet const& labels, ds::ThreadPool& threads) {
  auto const neighbours = ds::eval::knn({features_of(set.train, set.dims), labels.train},
                                        {features_of(set.test, set.dims), labels.test},
                                        {.k = {20}, .classes = labels.classes}, &threads);
  return {probe(set, labels, threads), neighbours.front().accuracy};
}

/// A ds::eval::ProbeCurve whose points are JSON lines.
class ProbeLog {
 public:
  /// Starts an empty file unless the run is resumed. Ranks encode together, and rank 0 writes.
  ProbeLog(ds::dist::CommunicatorRef ranks, ds::ThreadPool& threads, Pictures const& pictures,
           std::filesystem::path path, bool resume)
      : curve_(pictures.train, pictures.validation, {.encode = encoding_of(pictures.train, ranks)}),
        writes_(ranks.rank() == 0),
        threads_(&threads),
        path_(std::move(path)) {
    if (!resume && writes_) (void)ds::io::JsonLines::create(path_);
  }

  template <class Encoder>
  void look(typename Encoder::Backend::Context& context, Encoder const& encoder, std::uint64_t step) {
    double const accuracy = curve_.look(context, encoder, step, threads_).accuracy;
    if (!writes_) return;
    // A resumed run comes by some steps again: the line it wrote then makes way.
    ds::io::JsonLines::resume(path_, static_cast<std::int64_t>(step) - 1)
        .append({{"step", step}, {"seconds", seconds_since(start_)}, {"validation_accuracy", accuracy}});
  }

 private:
  ds::eval::ProbeCurve curve_;
  bool writes_;
  ds::ThreadPool* threads_;
  std::filesystem::path path_;
  Clock::time_point start_ = Clock::now();
};

/// Accuracy of the linear probe when only the first m subsets of z are read.
struct SubsetScore {
  int subsets = 0;
  ds::Index dims = 0;
  double linear_probe = 0;
};
[[nodiscard]] inline std::vector<SubsetScore> subset_scores(FeatureSet const& z, LabelSet const& labels,
                                                            ds::TimestepPartition const& partition,
                                                            ds::ThreadPool& threads) {
  std::vector<SubsetScore> scores;
  for (int m = 1; m <= partition.subsets(); m *= 2) {
    ds::Index const dims = partition.end(m - 1);
    scores.push_back({m, dims, probe(first_columns(z, dims), labels, threads)});
  }
  return scores;
}

/// How well each subset alone, and each run of first subsets, tells the classes apart (see SubsetFactorMap).
[[nodiscard]] inline ds::eval::SubsetFactorMap subset_class_map(FeatureSet const& z, LabelSet const& labels,
                                                                ds::TimestepPartition const& partition,
                                                                ds::ThreadPool& threads) {
  auto const factored = [&](std::vector<float> const& values, std::vector<int> const& classes) {
    ds::eval::Features const features = features_of(values, z.dims);
    return ds::eval::Factored{features, {classes, features.count, 1}};
  };
  return ds::eval::subset_factor_map(factored(z.train, labels.train), factored(z.test, labels.test),
                                     ds::eval::subset_groups(partition), &threads);
}

/// Diffusion losses on held-out pictures, all on the same draws and in the same weighting.
struct DiffusionScore {
  double denoiser = 0, diffsiam = 0, diffsiam_z_shuffled = 0;
};

/// Of the first `count` pictures, at least two. Shuffling gives each picture the z of another one of its
/// batch. Throws RangeError for fewer, or more than there are.
template <class B>
[[nodiscard]] DiffusionScore diffusion_score(typename B::Context& context, ds::DiffSiam<B> const& model,
                                             ds::data::Dataset const& pictures, ds::Index count,
                                             std::uint64_t seed) {
  if (count < 2 || count > pictures.size())
    ds::fail<ds::RangeError>("diffusion_score", {"2 to ", pictures.size(), " pictures, as there are"}, count);
  // The last batch takes the rest too, which might be a single picture.
  ds::Index const each = measured_at_once(pictures, 100), batches = std::max<ds::Index>(1, count / each);
  DiffusionScore total;
  for (ds::Index b = 0; b < batches; ++b) {
    ds::Index const from = each * b, batch = (b + 1 == batches ? count : from + each) - from;
    auto const part = pictures.slice(from, from + batch);
    auto const units = part.units();
    auto const images = ds::Tensor<B>::from(context, part.shape(), std::span<float const>{units});
    auto const noised = ds::add_noise(model.schedule(), images,
                                      {.seed = seed, .stream = 40, .step = static_cast<std::uint64_t>(from)});
    auto const z = model.encode(images);
    ds::Tensor<B> const shuffled{context, z.shape()};
    shuffled.samples(0, batch - 1).assign(z.samples(1, batch));
    shuffled.samples(batch - 1, batch).assign(z.samples(0, 1));
    double const share = static_cast<double>(batch) / static_cast<double>(count);
    total.denoiser += share * static_cast<double>(model.denoiser_loss(noised).item());
    total.diffsiam += share * static_cast<double>(model.diffusion_loss(z, noised).item());
    total.diffsiam_z_shuffled += share * static_cast<double>(model.diffusion_loss(shuffled, noised).item());
  }
  return total;
}

/// The losses at single time-steps on the first 200 pictures, or all: what z adds, from fine to coarse.
template <class B>
[[nodiscard]] std::vector<ds::model::TimestepLoss> losses_by_timestep(typename B::Context& context,
                                                                      ds::DiffSiam<B> const& model,
                                                                      ds::data::Dataset const& pictures,
                                                                      std::uint64_t seed) {
  std::vector<int> steps;
  for (int t = 25; t < model.schedule().timesteps(); t += 50) steps.push_back(t);
  ds::Index const count = std::min<ds::Index>(200, pictures.size()), each = measured_at_once(pictures, 200);
  std::vector<ds::model::TimestepLoss> total;
  for (ds::Index from = 0; from < count; from += each) {
    auto const part = pictures.slice(from, std::min(from + each, count));
    auto const images = ds::data::to_tensor<B>(context, part);
    auto const losses = ds::model::timestep_losses(
        model, images, model.encode(images), steps,
        {.rng = {.seed = seed, .stream = 41, .step = static_cast<std::uint64_t>(from)}});
    double const share = static_cast<double>(part.size()) / static_cast<double>(count);
    total.resize(losses.size());
    for (std::size_t i = 0; i < losses.size(); ++i)
      total[i] = {losses[i].t, total[i].denoiser + share * losses[i].denoiser,
                  total[i].shifted + share * losses[i].shifted};
  }
  return total;
}

}  // namespace experiments
