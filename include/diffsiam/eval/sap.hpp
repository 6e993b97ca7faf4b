// SAP, separated attribute predictability (Kumar et al. 2018, arXiv 1711.00848): for each factor the gap in
// held-out accuracy between the two best predictors that each see one part of the code; the score is the
// mean. Predictors are linear discriminants. Accuracy is over samples, not balanced over levels.
#pragma once

#include <algorithm>
#include <vector>

#include <Eigen/Core>

#include <diffsiam/eval/best_two.hpp>
#include <diffsiam/eval/group_readout.hpp>
#include <diffsiam/eval/metrics.hpp>

namespace diffsiam::eval {

/// The result of sap().
struct SapResult {
  double score = 0;                  ///< mean over the factors, in [0, 1]
  std::vector<double> per_factor{};  ///< the gap of each factor
  std::vector<Index> best{};         ///< the part of the best predictor, for each factor
  Eigen::MatrixXd accuracy{};        ///< on test samples, (parts, factors)
};

/// The parts are the groups; DimGroups::each makes each dim a part. A constant part predicts the most
/// frequent level. If there is only one part, that prediction is the second. Throws as require_factored,
/// ShapeError if a group has as many dims as there are training samples, ConfigError for groups that do not
/// fit. `pool` may be null.
[[nodiscard]] inline SapResult sap(Factored const& train, Factored const& test, DimGroups const& groups,
                                   ThreadPool* pool = nullptr) {
  SapResult result;
  result.accuracy.resize(groups.count(), test.factors.factors);
  detail::for_each_readout("sap", train, test, groups, pool, [&](detail::GroupReadout const& readout) {
    result.accuracy(readout.group, readout.factor) =
        accuracy(readout.predictions(), factor_column(test.factors, readout.factor));
  });
  for (int k = 0; k < test.factors.factors; ++k) {
    std::vector<int> const seen = factor_column(train.factors, k), column = factor_column(test.factors, k);
    std::vector<Index> counts(static_cast<std::size_t>(levels_of(seen)));
    for (int const level : seen) ++counts[static_cast<std::size_t>(level)];
    auto const usual = static_cast<int>(std::max_element(counts.begin(), counts.end()) - counts.begin());
    auto const right = static_cast<double>(std::count(column.begin(), column.end(), usual));
    detail::BestTwo const top =
        detail::best_two(result.accuracy.col(k), right / static_cast<double>(column.size()));
    result.per_factor.push_back(std::max(top.gap(), 0.0));
    result.best.push_back(top.index);
    result.score += result.per_factor.back() / test.factors.factors;
  }
  return result;
}

}  // namespace diffsiam::eval
