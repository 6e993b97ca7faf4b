// A linear classifier that reads d' of the d dims, and which ones it reads is learned: a score a dim, in
// logits,
//   p_j = sigmoid(s_j + shift), the shift such that sum p_j = d'
//   m_j = sigmoid((s_j + shift + log u_j - log(1 - u_j)) / temperature), u uniform: binary concrete
// (Maddison et al., 2017, arXiv 1611.00712). Weights and scores descend the loss of softmax regression on m x
// together, a fresh mask each step, while the temperature falls from soft masks to hard ones. In the end the
// d' greatest scores stay, and the weights are fitted anew on those dims alone.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numeric>
#include <string>
#include <vector>

#include <Eigen/Core>

#include <diffsiam/core/philox.hpp>
#include <diffsiam/eval/linear_probe.hpp>

namespace diffsiam::eval {

struct MaskedClassifierConfig {
  Index kept = 0;                 ///< d', in [1, dims]
  int steps = 400;                ///< over all training samples each
  double learning_rate = 0.05;    ///< of Adam, for weights and scores
  double temperature = 1;         ///< at the first step
  double last_temperature = 0.1;  ///< at the last; in between in equal ratios
  double weight_decay = 1e-3;     ///< on what the mask leaves of the weights
  std::uint64_t seed = 0;         ///< of the masks
  LinearProbeConfig refit{};      ///< of the weights on the chosen dims; its `classes` hold for all
};

struct MaskedClassifierResult {
  std::vector<Index> dims{};            ///< chosen, ascending
  std::vector<double> probabilities{};  ///< p of each dim at the end, sum d'
  LinearClassifier classifier{};        ///< of full width, zero outside the chosen dims
  double validation_accuracy = 0;       ///< in [0, 1]; the refit's choice was made by it
};

namespace detail {

[[nodiscard]] inline double logistic(double x) {
  return x < 0 ? std::exp(x) / (1 + std::exp(x)) : 1 / (1 + std::exp(-x));
}

/// The shift with sum sigmoid(scores + shift) = kept, by bisection; 0 < kept < the number of scores.
[[nodiscard]] inline double mask_shift(Eigen::VectorXd const& scores, double kept) {
  // With these every p is below, or above, the mean that is asked for.
  double const mean = kept / static_cast<double>(scores.size());
  double const centre = std::log(mean / (1 - mean));
  double low = centre - scores.maxCoeff(), high = centre - scores.minCoeff();
  for (int halving = 0; halving < 100 && low < high; ++halving) {
    double const middle = low + (high - low) / 2;
    double sum = 0;
    for (Index j = 0; j < scores.size(); ++j) sum += logistic(scores[j] + middle);
    (sum < kept ? low : high) = middle;
  }
  return low + (high - low) / 2;
}

/// Adam for matrices in double (Kingma and Ba, 2015), with its published constants.
class MatrixAdam {
 public:
  MatrixAdam(Index rows, Index columns, double learning_rate)
      : learning_rate_(learning_rate),
        first_(Eigen::MatrixXd::Zero(rows, columns)),
        second_(Eigen::MatrixXd::Zero(rows, columns)) {}
  template <class Values>
  void step(Values& values, Values const& gradient) {
    ++steps_;
    first_ += 0.1 * (gradient - first_);
    second_ += 0.001 * (gradient.cwiseAbs2() - second_);
    double const unbias_first = 1 - std::pow(0.9, steps_), unbias_second = 1 - std::pow(0.999, steps_);
    values.array() -=
        learning_rate_ / unbias_first * first_.array() / ((second_.array() / unbias_second).sqrt() + 1e-8);
  }

 private:
  double learning_rate_;
  Eigen::MatrixXd first_, second_;
  int steps_ = 0;
};

/// Scores after training; data standardised.
[[nodiscard]] inline Eigen::VectorXd learn_mask(Labelled const& data, int classes,
                                                MaskedClassifierConfig const& config, ThreadPool* pool) {
  Index const dims = data.features.dims;
  SoftmaxRegression regression{data, classes, pool};
  SoftmaxWeights weights = SoftmaxWeights::Zero(dims + 1, classes), masked = weights, gradient;
  Eigen::VectorXd scores = Eigen::VectorXd::Zero(dims), mask(dims), toward(dims), slope(dims);
  MatrixAdam move_weights{dims + 1, classes, config.learning_rate},
      move_scores{dims, 1, config.learning_rate};
  double const cooling = config.last_temperature / config.temperature;
  for (int step = 0; step < config.steps; ++step) {
    double const temperature =
        config.temperature * std::pow(cooling, static_cast<double>(step) / std::max(1, config.steps - 1));
    double const shift = mask_shift(scores, static_cast<double>(config.kept));
    Rng const rng{.seed = config.seed, .step = static_cast<std::uint64_t>(step)};
    for (Index j = 0; j < dims; ++j) {
      double const u = (rng.words(static_cast<std::uint64_t>(j))[0] + 0.5) * 0x1p-32;
      mask[j] = logistic((scores[j] + shift + std::log(u) - std::log1p(-u)) / temperature);
      masked.row(j) = mask[j] * weights.row(j);
    }
    masked.row(dims) = weights.row(dims);
    (void)regression.evaluate(masked, config.weight_decay, gradient);

    for (Index j = 0; j < dims; ++j) {
      double const p = logistic(scores[j] + shift);
      slope[j] = p * (1 - p);
      toward[j] = gradient.row(j).dot(weights.row(j)) * mask[j] * (1 - mask[j]) / temperature;
      gradient.row(j) *= mask[j];
    }
    // The shift answers every score, so that the sum stays: d shift / d s_j = -slope_j / sum slope.
    if (double const all = slope.sum(); all > 0) toward -= slope * (toward.sum() / all);
    move_weights.step(weights, gradient);
    move_scores.step(scores, toward);
  }
  return scores;
}

/// Columns `dims` of features.
[[nodiscard]] inline std::vector<float> columns_of(Features const& features, std::vector<Index> const& dims) {
  std::vector<float> result;
  result.reserve(static_cast<std::size_t>(features.count) * dims.size());
  for (Index i = 0; i < features.count; ++i)
    for (Index const j : dims) result.push_back(features.row(i)[j]);
  return result;
}

}  // namespace detail

/// Throws ConfigError for settings outside their range, and all that linear_probe does. With kept = dims it
/// is the linear probe. `pool` may be null.
[[nodiscard]] inline MaskedClassifierResult masked_classifier(Labelled const& train,
                                                              Labelled const& validation,
                                                              MaskedClassifierConfig const& config,
                                                              ThreadPool* pool = nullptr) {
  constexpr auto name = "masked_classifier";
  int const classes = resolve_classes(name, config.refit.classes, train.labels);
  require_labelled(name, train, classes);
  Index const dims = train.features.dims;
  if (config.kept < 1 || config.kept > dims)
    fail<ConfigError>(name, {"kept in [1, ", dims, "], the dims of the features"}, config.kept);
  if (config.steps < 1) fail<ConfigError>(name, "at least one step", config.steps);
  if (!(config.learning_rate > 0)) fail<ConfigError>(name, "a learning rate above 0", config.learning_rate);
  if (!(config.last_temperature > 0 && config.temperature >= config.last_temperature))
    fail<ConfigError>(name, "temperatures above 0 that do not rise",
                      {config.temperature, " to ", config.last_temperature});
  if (!(config.weight_decay >= 0))
    fail<ConfigError>(name, "a weight decay of at least 0", config.weight_decay);
  require_labelled(name, validation, classes);
  if (validation.features.dims != dims)
    fail<ShapeError>(name, {dims, " dims, as the training features"}, validation.features.dims);

  Standardiser const standardiser = Standardiser::fit(train.features);
  MaskedClassifierResult result;
  result.dims.resize(static_cast<std::size_t>(dims));
  std::iota(result.dims.begin(), result.dims.end(), Index{0});
  result.probabilities.assign(result.dims.size(), 1.0);
  if (config.kept < dims) {
    std::vector<float> const values = standardiser(train.features);
    Eigen::VectorXd const scores =
        detail::learn_mask({{values, train.features.count, dims}, train.labels}, classes, config, pool);
    double const shift = detail::mask_shift(scores, static_cast<double>(config.kept));
    for (Index j = 0; j < dims; ++j)
      result.probabilities[static_cast<std::size_t>(j)] = detail::logistic(scores[j] + shift);
    std::stable_sort(result.dims.begin(), result.dims.end(),
                     [&](Index a, Index b) { return scores[a] > scores[b]; });
    result.dims.resize(static_cast<std::size_t>(config.kept));
    std::sort(result.dims.begin(), result.dims.end());
  }

  std::vector<float> const chosen = detail::columns_of(train.features, result.dims);
  std::vector<float> const held_out = detail::columns_of(validation.features, result.dims);
  Labelled const seen{{held_out, validation.features.count, config.kept}, validation.labels};
  LinearProbeConfig refit = config.refit;
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
