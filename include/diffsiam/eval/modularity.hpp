// Modularity (Ridgeway and Mozer 2018, arXiv 1802.05312): whether each part of the code has information about
// only one factor. With m_if its information about factor f, t_i = max_f m_if and N factors,
//   modularity_i = 1 - sum_{f not the best} m_if^2 / (t_i^2 (N - 1)),
// and the score is the mean over the parts. Estimates from counts find some information in noise, so parts
// that know nothing get the score of chance and not 0.
#pragma once

#include <cmath>
#include <string>
#include <vector>

#include <Eigen/Core>

#include <diffsiam/core/error.hpp>
#include <diffsiam/core/shape.hpp>

namespace diffsiam::eval {

/// The result of modularity().
struct ModularityResult {
  double score = 0;                ///< mean over the parts, in [0, 1]
  std::vector<double> per_part{};  ///< 0 for a part without information
};

/// `information` (parts, factors) has any unit: use information_matrix for dims, group_mig for groups. If
/// there is only one factor, every part with information scores 1. Throws ShapeError for an empty matrix,
/// RangeError for an entry that is negative, NaN or infinite.
[[nodiscard]] inline ModularityResult modularity(Eigen::MatrixXd const& information) {
  Index const parts = information.rows(), factors = information.cols();
  if (parts < 1 || factors < 1)
    fail<ShapeError>("modularity", "information (parts, factors) of at least (1, 1)",
                     "(" + std::to_string(parts) + ", " + std::to_string(factors) + ")");
  ModularityResult result;
  for (Index i = 0; i < parts; ++i) {
    Eigen::VectorXd const row = information.row(i);
    for (Index f = 0; f < factors; ++f)
      if (!(row[f] >= 0) || std::isinf(row[f]))
        fail<RangeError>("modularity", "information of 0 or more", row[f]);
    double const best = row.maxCoeff();
    // Divided before they are squared, so that small values do not underflow.
    double const others = best > 0 ? (row / best).squaredNorm() - 1 : 0;
    double const spread = factors > 1 ? others / static_cast<double>(factors - 1) : 0;
    result.per_part.push_back(best > 0 ? 1 - spread : 0);
    result.score += result.per_part.back() / static_cast<double>(parts);
  }
  return result;
}

}  // namespace diffsiam::eval
