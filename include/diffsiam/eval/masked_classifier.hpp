// A linear classifier that reads only d' of d dims, which a learned mask selects. The d' dims with the
// largest probabilities are chosen, and the weights are fitted again on these dims alone. Its rows are
// directions for edits that leave the other dims unchanged.
#pragma once

#include <algorithm>
#include <numeric>
#include <utility>
#include <vector>

#include <diffsiam/eval/learned_mask.hpp>
#include <diffsiam/eval/linear_probe.hpp>

namespace diffsiam::eval {

/// The result of masked_classifier().
struct MaskedClassifierResult {
  std::vector<Index> dims{};            ///< the chosen dims, ascending
  std::vector<double> probabilities{};  ///< the final p of each dim; their sum is d'
  LinearClassifier classifier{};        ///< for all dims; its weights are 0 outside the chosen dims
  double validation_accuracy = 0;       ///< in [0, 1]; the second fit chose its step by it
};

namespace detail {

/// Columns `dims` of features.
[[nodiscard]] inline std::vector<float> columns_of(Features const& features, std::vector<Index> const& dims) {
  std::vector<float> result;
  result.reserve(static_cast<std::size_t>(features.count) * dims.size());
  for (Index i = 0; i < features.count; ++i)
    for (Index const j : dims) result.push_back(features.row(i)[j]);
  return result;
}

}  // namespace detail

/// `refit` configures the fit on the chosen dims; its `classes` also holds for the mask. With kept = dims the
/// result is the linear probe. Throws ConfigError for settings out of range, and as linear_probe. `pool` may
/// be null.
[[nodiscard]] inline MaskedClassifierResult masked_classifier(Labelled const& train,
                                                              Labelled const& validation,
                                                              LearnedMaskConfig const& config,
                                                              LinearProbeConfig refit = {},
                                                              ThreadPool* pool = nullptr) {
  constexpr auto name = "masked_classifier";
  int const classes = resolve_classes(name, refit.classes, train.labels);
  require_labelled(name, train, classes);
  Index const dims = train.features.dims;
  detail::require_mask(name, config, dims);
  require_labelled(name, validation, classes);
  require_same_dims(name, train.features, validation.features);

  Standardiser const standardiser = Standardiser::fit(train.features);
  MaskedClassifierResult result;
  result.dims.resize(static_cast<std::size_t>(dims));
  std::iota(result.dims.begin(), result.dims.end(), Index{0});
  result.probabilities.assign(result.dims.size(), 1.0);
  if (config.kept < dims) {
    std::vector<float> const values = standardiser(train.features);
    Eigen::VectorXd const logits =
        detail::learn_mask({{values, train.features.count, dims}, train.labels}, classes, config, pool);
    for (Index j = 0; j < dims; ++j)
      result.probabilities[static_cast<std::size_t>(j)] = detail::logistic(logits[j]);
    std::sort(result.dims.begin(), result.dims.end(),
              [&](Index a, Index b) { return logits[a] != logits[b] ? logits[a] > logits[b] : a < b; });
    result.dims.resize(static_cast<std::size_t>(config.kept));
    std::sort(result.dims.begin(), result.dims.end());
  }

  std::vector<float> const chosen = detail::columns_of(train.features, result.dims);
  std::vector<float> const held_out = detail::columns_of(validation.features, result.dims);
  Labelled const seen{{held_out, validation.features.count, config.kept}, validation.labels};
  refit.classes = classes;
  LinearProbeResult const probe =
      linear_probe({{chosen, train.features.count, config.kept}, train.labels}, seen, seen, refit, pool);
  result.validation_accuracy = probe.validation_accuracy;
  SoftmaxWeights weights = SoftmaxWeights::Zero(dims + 1, classes);
  for (std::size_t k = 0; k < result.dims.size(); ++k)
    weights.row(result.dims[k]) = probe.classifier.weights().row(static_cast<Index>(k));
  weights.row(dims) = probe.classifier.weights().row(config.kept);
  result.classifier = LinearClassifier{standardiser, std::move(weights)};
  return result;
}

}  // namespace diffsiam::eval
