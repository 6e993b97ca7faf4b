// Mutual information gap (MIG: Chen et al. 2018, arXiv 1802.04942). For each factor v it is the gap between
// the two parts of the code with the most information about v, divided by the entropy of v; the score is the
// mean:
//   MIG = mean_k (I(z_1st; v_k) - I(z_2nd; v_k)) / H(v_k).
// In mig() the parts are dims, divided into bins. In group_mig() they are groups of dims with the information
// I(v_hat; v), where v_hat is the held-out prediction of a linear classifier on the group. By the
// data-processing inequality this is at most I(group; v), and it counts only what a linear layer can read.
#pragma once

#include <algorithm>
#include <vector>

#include <Eigen/Core>

#include <diffsiam/eval/best_two.hpp>
#include <diffsiam/eval/group_readout.hpp>
#include <diffsiam/eval/mutual_information.hpp>

namespace diffsiam::eval {

/// The result of mig() and group_mig().
struct MigResult {
  double score = 0;                  ///< mean over the factors, in [0, 1]
  std::vector<double> per_factor{};  ///< the gap divided by the entropy, in [0, 1]
  std::vector<Index> best{};         ///< the part with the most information, for each factor
  std::vector<double> entropy{};     ///< H(v_k) in nats
  Eigen::MatrixXd information{};     ///< in nats, (parts, factors)
};

namespace detail {

[[nodiscard]] inline MigResult mig_of(Eigen::MatrixXd information, Factors const& factors) {
  MigResult result;
  for (int k = 0; k < factors.factors; ++k) {
    BestTwo const top = best_two(information.col(k), 0);
    result.entropy.push_back(discrete_entropy(factor_column(factors, k)));
    result.per_factor.push_back(std::min(top.gap() / result.entropy.back(), 1.0));
    result.best.push_back(top.index);
    result.score += result.per_factor.back() / factors.factors;
  }
  result.information = std::move(information);
  return result;
}

}  // namespace detail

/// MIG of dims. A constant dim has no information. If there is only one dim, the second value is 0. Throws as
/// information_matrix. `pool` may be null.
[[nodiscard]] inline MigResult mig(Factored const& data, int bins = 20, ThreadPool* pool = nullptr) {
  return detail::mig_of(information_matrix(data, bins, pool), data.factors);
}

/// MIG of groups. Throws as require_factored, ShapeError if a group has as many dims as there are training
/// samples, ConfigError for groups that do not fit. `pool` may be null.
[[nodiscard]] inline MigResult group_mig(Factored const& train, Factored const& test, DimGroups const& groups,
                                         ThreadPool* pool = nullptr) {
  Eigen::MatrixXd information(groups.count(), test.factors.factors);
  detail::for_each_readout("group_mig", train, test, groups, pool, [&](detail::GroupReadout const& readout) {
    information(readout.group, readout.factor) =
        mutual_information(readout.predictions(), factor_column(test.factors, readout.factor));
  });
  return detail::mig_of(std::move(information), test.factors);
}

}  // namespace diffsiam::eval
