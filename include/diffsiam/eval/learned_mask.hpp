// A mask that selects d' of d dims, learned together with softmax regression. Each dim has a score s_j (a
// logit):
//   p_j = sigmoid(s_j + shift), with the shift for which sum p_j = d'
//   m_j = sigmoid((s_j + shift + log u_j - log(1 - u_j)) / temperature), u uniform: binary concrete
// (Maddison et al., 2017, arXiv 1611.00712). Weights and scores minimise the loss on m x, with a new mask in
// each step, while the temperature falls, so that soft masks become hard ones.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string_view>

#include <Eigen/Core>

#include <diffsiam/core/philox.hpp>
#include <diffsiam/eval/softmax_regression.hpp>
#include <diffsiam/functional/updates.hpp>

namespace diffsiam::eval {

/// Settings of masked_classifier().
struct LearnedMaskConfig {
  Index kept = 0;                 ///< d', the number of dims that are selected, in [1, dims]
  int steps = 400;                ///< each step uses all training samples
  double learning_rate = 0.05;    ///< of Adam, for weights and scores
  double temperature = 1;         ///< at the first step
  double last_temperature = 0.1;  ///< at the last step; it falls by a constant factor
  double weight_decay = 1e-3;     ///< on the weights times the mask
  std::uint64_t seed = 0;         ///< of the random masks
};

namespace detail {

[[nodiscard]] inline double logistic(double x) {
  return x < 0 ? std::exp(x) / (1 + std::exp(x)) : 1 / (1 + std::exp(-x));
}

/// The shift for which sum sigmoid(scores + shift) = kept, by bisection; 0 < kept < number of scores.
[[nodiscard]] inline double mask_shift(Eigen::VectorXd const& scores, double kept) {
  // At these limits every p is below, or above, the wanted mean.
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

/// Adam for a matrix of weights, with its published constants.
class Adam {
 public:
  Adam(Index rows, Index columns, double learning_rate)
      : learning_rate_(learning_rate),
        first_(Eigen::MatrixXd::Zero(rows, columns)),
        second_(Eigen::MatrixXd::Zero(rows, columns)) {}
  /// Updates `values` and sets the gradient to zero.
  void step(Eigen::Ref<Eigen::MatrixXd> values, Eigen::Ref<Eigen::MatrixXd> gradient) {
    ++steps_;
    functional::AdamUpdate<double> const update{.keep = 1,
                                                .l2 = 0,
                                                .beta_1 = 0.9,
                                                .one_minus_beta_1 = 0.1,
                                                .beta_2 = 0.999,
                                                .one_minus_beta_2 = 0.001,
                                                .step = learning_rate_ / (1 - std::pow(0.9, steps_)),
                                                .unbias = 1 / std::sqrt(1 - std::pow(0.999, steps_)),
                                                .epsilon = 1e-8};
    for (Index j = 0; j < values.cols(); ++j)
      for (Index i = 0; i < values.rows(); ++i)
        update(values(i, j), gradient(i, j), first_(i, j), second_(i, j));
  }

 private:
  double learning_rate_;
  Eigen::MatrixXd first_, second_;
  int steps_ = 0;
};

/// Throws ConfigError for settings out of range.
inline void require_mask(std::string_view operation, LearnedMaskConfig const& config, Index dims) {
  if (config.kept < 1 || config.kept > dims)
    fail<ConfigError>(operation, {"kept in [1, ", dims, "], the dims of the features"}, config.kept);
  if (config.steps < 1) fail<ConfigError>(operation, "at least one step", config.steps);
  if (!(config.learning_rate > 0) || std::isinf(config.learning_rate))
    fail<ConfigError>(operation, "a learning rate above 0", config.learning_rate);
  if (!(config.last_temperature > 0 && config.temperature >= config.last_temperature) ||
      std::isinf(config.temperature))
    fail<ConfigError>(operation, "temperatures above 0 that do not rise",
                      {config.temperature, " to ", config.last_temperature});
  if (!(config.weight_decay >= 0) || std::isinf(config.weight_decay))
    fail<ConfigError>(operation, "a weight decay of at least 0", config.weight_decay);
}

/// s + shift after training, (dims): logits of probabilities whose sum is d' < dims. Features must be
/// standardised. Throws NumericError if training diverges.
[[nodiscard]] inline Eigen::VectorXd learn_mask(Labelled const& data, int classes,
                                                LearnedMaskConfig const& config, ThreadPool* pool) {
  Index const dims = data.features.dims;
  SoftmaxRegression regression{data, classes, pool};
  SoftmaxWeights weights = SoftmaxWeights::Zero(dims + 1, classes), masked = weights, gradient;
  Eigen::VectorXd scores = Eigen::VectorXd::Zero(dims), mask(dims), toward(dims), slope(dims);
  Adam move_weights{dims + 1, classes, config.learning_rate}, move_scores{dims, 1, config.learning_rate};
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
    // Every score changes the shift, so that the sum stays the same: d shift / d s_j = -slope_j / sum slope.
    if (double const all = slope.sum(); all > 0) toward -= slope * (toward.sum() / all);
    move_weights.step(weights, gradient);
    move_scores.step(scores, toward);
  }
  scores.array() += mask_shift(scores, static_cast<double>(config.kept));
  if (!scores.allFinite())
    fail<NumericError>("masked_classifier", "finite scores of the dims", "NaN or infinity",
                       "a lower learning rate");
  return scores;
}

}  // namespace detail
}  // namespace diffsiam::eval
