// Regression of a factor on a code: a lasso for the indicator of each level, y_l = 1 if the factor has level
// l and 0 otherwise, with an intercept, on the standardised code. All levels of a factor use the same
// strength: the largest whose squared error on held-out training samples is within a slack of the smallest
// error. All training samples are then fitted with it. Without the slack, dims that are noise would keep
// small weights, and importances would be wrong.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include <Eigen/Core>

#include <diffsiam/core/error.hpp>
#include <diffsiam/core/philox.hpp>
#include <diffsiam/data/permutation.hpp>
#include <diffsiam/eval/factors.hpp>
#include <diffsiam/eval/lasso.hpp>
#include <diffsiam/eval/level_moments.hpp>
#include <diffsiam/eval/softmax_regression.hpp>

namespace diffsiam::eval {

/// Settings of indicator_lasso(). `strengths` are those among which it chooses.
struct IndicatorLassoConfig {
  std::vector<double> strengths{0.1, 0.03, 0.01, 0.003, 0.001};
  double slack = 0.01;     ///< as a fraction of the variance of the held-out indicators
  std::uint64_t seed = 0;  ///< of the choice of the held-out quarter of the training samples
};

/// The result for one factor.
struct IndicatorLasso {
  SoftmaxWeights weights{};  ///< (dims + 1, levels); the last row has the intercepts
  double strength = 0;       ///< the chosen strength
  bool converged = true;     ///< whether the fit at the chosen strength converged
};

namespace detail {

inline constexpr std::uint32_t lasso_stream = 0xE7A10001U;

struct Indicator {
  double share = 0;
  Eigen::VectorXd correlation;  ///< covariance with each dim
};
[[nodiscard]] inline Indicator indicator_of(LevelMoments const& moments, int k, Index level) {
  LevelMoments::Factor const& factor = moments.factors[static_cast<std::size_t>(k)];
  if (level >= factor.share.size()) return {0, Eigen::VectorXd::Zero(moments.mean.size())};
  return {factor.share[level], factor.share[level] * factor.shift.col(level)};
}

/// The mean squared error on samples with moments `held`, of weights and the intercept fitted on `fit`.
[[nodiscard]] inline double indicator_error(LevelMoments const& fit, LevelMoments const& held, int k,
                                            Index level, Eigen::VectorXd const& w) {
  Indicator const seen = indicator_of(fit, k, level), unseen = indicator_of(held, k, level);
  double const bias = unseen.share - seen.share - w.dot(held.mean - fit.mean);
  return unseen.share * (1 - unseen.share) - 2 * w.dot(unseen.correlation) + w.dot(held.covariance * w) +
         bias * bias;
}

/// Rows `order` of data that has been checked.
struct Gathered {
  std::vector<float> features;
  std::vector<int> factors;
  Index count, dims;
  int width;

  Gathered(Factored const& data, std::span<std::uint32_t const> order)
      : count(static_cast<Index>(order.size())), dims(data.features.dims), width(data.factors.factors) {
    for (std::uint32_t const i : order) {
      features.insert(features.end(), data.features.row(i), data.features.row(i) + dims);
      for (int k = 0; k < width; ++k) factors.push_back(data.factors.level(i, k));
    }
  }
  [[nodiscard]] Factored view() const { return {{features, count, dims}, {factors, count, width}}; }
};

}  // namespace detail

/// One result for each factor of `train`, whose code must be standardised. Throws ConfigError for a negative
/// slack, no strength or a negative one, ShapeError for fewer than four samples, and as require_factored.
/// `pool` may be null.
[[nodiscard]] inline std::vector<IndicatorLasso> indicator_lasso(Factored const& train,
                                                                 IndicatorLassoConfig const& config = {},
                                                                 ThreadPool* pool = nullptr) {
  std::vector<double> const strengths = sorted_penalties("indicator_lasso", "strengths", config.strengths);
  if (!(config.slack >= 0) || std::isinf(config.slack))
    fail<ConfigError>("indicator_lasso", "a slack of at least 0", config.slack);
  require_factored("indicator_lasso", train);
  if (train.features.count < 4)
    fail<ShapeError>("indicator_lasso", "at least 4 training samples", train.features.count);

  std::vector<std::uint32_t> order(static_cast<std::size_t>(train.features.count));
  data::fill_permutation(order, Rng{.seed = config.seed, .stream = detail::lasso_stream});
  std::span<std::uint32_t const> const held_rows = std::span(order).first(order.size() / 4);
  LevelMoments const held = LevelMoments::of(detail::Gathered{train, held_rows}.view(), pool);
  LevelMoments const fit =
      LevelMoments::of(detail::Gathered{train, std::span(order).subspan(held_rows.size())}.view(), pool);
  LevelMoments const all = LevelMoments::of(train, pool);

  Index const dims = train.features.dims;
  std::vector<IndicatorLasso> results(all.factors.size());
  detail::for_pieces(pool, train.factors.factors, [&](Index piece) {
    auto const k = static_cast<int>(piece);
    Index const levels = all.factors[static_cast<std::size_t>(k)].share.size();
    std::vector<double> errors(strengths.size());
    double variance = 0;
    for (Index level = 0; level < levels; ++level) {
      Eigen::VectorXd const correlation = detail::indicator_of(fit, k, level).correlation;
      Eigen::VectorXd w = Eigen::VectorXd::Zero(dims);
      for (std::size_t s = 0; s < strengths.size(); ++s) {
        (void)lasso(fit.covariance, correlation, w, {.alpha = strengths[s]});
        errors[s] += detail::indicator_error(fit, held, k, level, w);
      }
      double const share = detail::indicator_of(held, k, level).share;
      variance += share * (1 - share);
    }
    double const enough = *std::min_element(errors.begin(), errors.end()) + config.slack * variance;
    auto const chosen = static_cast<std::size_t>(
        std::find_if(errors.begin(), errors.end(), [&](double error) { return error <= enough; }) -
        errors.begin());

    IndicatorLasso& result = results[static_cast<std::size_t>(k)];
    result.strength = strengths[chosen];
    result.weights.resize(dims + 1, levels);
    for (Index level = 0; level < levels; ++level) {
      detail::Indicator const indicator = detail::indicator_of(all, k, level);
      Eigen::VectorXd w = Eigen::VectorXd::Zero(dims);
      bool converged = true;
      for (std::size_t s = 0; s <= chosen; ++s)  // each strength starts at the result of the one before
        converged = lasso(all.covariance, indicator.correlation, w, {.alpha = strengths[s]});
      result.converged = result.converged && converged;
      result.weights.col(level).head(dims) = w;
      result.weights(dims, level) = indicator.share - w.dot(all.mean);
    }
  });
  return results;
}

}  // namespace diffsiam::eval
