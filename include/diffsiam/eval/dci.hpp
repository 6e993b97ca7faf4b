// Disentanglement, completeness and informativeness (DCI: Eastwood and Williams, ICLR 2018). Each factor is
// predicted from the code; R_ij is the importance of part i of the code for factor j. With N factors, M
// parts, P_ij = R_ij / sum_j R_ij and Q_ij = R_ij / sum_i R_ij,
//   D_i = 1 - H_N(P_i.), D = sum_i D_i sum_j R_ij / sum R;   C_j = 1 - H_M(Q_.j), C = mean_j C_j,
// where H_N is the entropy to base N. The predictor is the lasso on indicators of levels
// (indicator_lasso.hpp). R_ij is the sum of |coefficients| over levels and over the dims of the part, on the
// standardised code. I_j is the held-out accuracy of the largest indicator. Indicators cannot predict the
// middle levels if levels lie along one dim. Informativeness is then too low; D and C are not affected.
#pragma once

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include <Eigen/Core>

#include <diffsiam/core/error.hpp>
#include <diffsiam/eval/dim_groups.hpp>
#include <diffsiam/eval/factors.hpp>
#include <diffsiam/eval/indicator_lasso.hpp>
#include <diffsiam/eval/metrics.hpp>
#include <diffsiam/eval/standardise.hpp>

namespace diffsiam::eval {

/// D and C of a matrix of importances, each in [0, 1].
struct ImportanceScores {
  double disentanglement = 0;        ///< mean over the parts, weighted by importance; 0 if there is none
  double completeness = 0;           ///< mean over the factors
  std::vector<double> per_part{};    ///< D_i; 0 for a part without importance
  std::vector<double> per_factor{};  ///< C_j; 0 for a factor without importance
};

/// The result of dci().
struct DciResult {
  ImportanceScores scores{};       ///< disentanglement and completeness
  double informativeness = 0;      ///< mean over the factors of the held-out accuracy
  std::vector<double> accuracy{};  ///< of each factor, in [0, 1]
  std::vector<double> strength{};  ///< the strength of the lasso, chosen for each factor
  bool converged = true;           ///< whether every lasso converged
  Eigen::MatrixXd importance{};    ///< R, (parts, factors)

  /// 1 - informativeness: the mean error, in [0, 1].
  [[nodiscard]] double error() const { return 1 - informativeness; }
};

namespace detail {

/// 1 - the entropy of weights / their sum, to the base of their number. 0 if all weights are 0, 1 for a
/// single one.
[[nodiscard]] inline double concentration(Eigen::VectorXd const& weights) {
  double const sum = weights.sum();
  if (!(sum > 0)) return 0;
  double entropy = 0;
  for (Index i = 0; i < weights.size(); ++i)
    if (double const p = weights[i] / sum; p > 0) entropy -= p * std::log(p);
  if (weights.size() == 1) return 1;
  return std::clamp(1 - entropy / std::log(static_cast<double>(weights.size())), 0.0, 1.0);
}

}  // namespace detail

/// D and C of importances R (parts, factors) from any predictor. Throws ShapeError for an empty matrix,
/// RangeError if an importance is negative, NaN or infinite, or if their sum is infinite.
[[nodiscard]] inline ImportanceScores importance_scores(Eigen::MatrixXd const& importance) {
  if (importance.size() == 0) fail<ShapeError>("importance_scores", "at least one part and factor", "none");
  for (Index i = 0; i < importance.size(); ++i)
    if (!(importance(i) >= 0) || std::isinf(importance(i)))
      fail<RangeError>("importance_scores", "importances of 0 or more", importance(i));
  ImportanceScores result;
  double const sum = importance.sum();
  if (std::isinf(sum)) fail<RangeError>("importance_scores", "importances of a finite sum", sum);
  for (Index i = 0; i < importance.rows(); ++i) {
    result.per_part.push_back(detail::concentration(importance.row(i)));
    if (sum > 0) result.disentanglement += result.per_part.back() * (importance.row(i).sum() / sum);
  }
  for (Index j = 0; j < importance.cols(); ++j) {
    result.per_factor.push_back(detail::concentration(importance.col(j)));
    result.completeness += result.per_factor.back() / static_cast<double>(importance.cols());
  }
  return result;
}

/// The parts are the groups; DimGroups::each makes each dim a part. A constant code has no importance, so D =
/// C = 0. Throws as require_factored, ConfigError for groups that do not fit and as indicator_lasso, and
/// ShapeError unless there are more training samples than dims, because coefficients are not determined then.
/// `pool` may be null.
[[nodiscard]] inline DciResult dci(Factored const& train, Factored const& test, DimGroups const& groups,
                                   IndicatorLassoConfig const& config = {}, ThreadPool* pool = nullptr) {
  require_factored("dci", train, test);
  require_groups("dci", groups, train.features.dims);
  Index const dims = train.features.dims;
  if (train.features.count <= dims)
    fail<ShapeError>("dci", "more training samples than the " + std::to_string(dims) + " dims",
                     train.features.count);
  Standardiser const standardiser = Standardiser::fit(train.features);
  std::vector<float> const train_values = standardiser(train.features);
  std::vector<float> const test_values = standardiser(test.features);
  std::vector<IndicatorLasso> const fitted =
      indicator_lasso({{train_values, train.features.count, dims}, train.factors}, config, pool);

  int const factors = train.factors.factors;
  DciResult result;
  result.importance.resize(groups.count(), factors);
  for (int k = 0; k < factors; ++k) {
    IndicatorLasso const& one = fitted[static_cast<std::size_t>(k)];
    Eigen::VectorXd const of_dims = one.weights.topRows(dims).cwiseAbs().rowwise().sum();
    for (Index g = 0; g < groups.count(); ++g)
      result.importance(g, k) = of_dims.segment(groups.begin(g), groups.size(g)).sum();
    result.accuracy.push_back(
        accuracy(softmax_predict({test_values, test.features.count, dims}, one.weights, pool),
                 factor_column(test.factors, k)));
    result.informativeness += result.accuracy.back() / factors;
    result.strength.push_back(one.strength);
    result.converged = result.converged && one.converged;
  }
  result.scores = importance_scores(result.importance);
  return result;
}

}  // namespace diffsiam::eval
