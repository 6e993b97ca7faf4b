// The lasso (Tibshirani 1996) from moments. It minimises over w
//   w^T G w / 2 - c^T w + alpha |w|_1,
// which is |y - X w|^2 / 2n + alpha |w|_1 for centred data with G = X^T X / n and c = X^T y / n. It uses
// coordinate descent (Friedman et al. 2010), so samples are read once for any number of targets and
// strengths.
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include <Eigen/Core>

#include <diffsiam/core/error.hpp>
#include <diffsiam/core/shape.hpp>

namespace diffsiam::eval {

/// Settings of lasso().
struct LassoConfig {
  double alpha = 0.01;      ///< 0 or more
  double tolerance = 1e-6;  ///< of the largest step of a weight, in units of |c|_max / G_jj
  int most_sweeps = 1000;   ///< a sweep goes over all weights
};

/// Minimises, starting at `weights`, and returns whether it converged. A dim without variance (at most 2^-52
/// of the largest) gets weight 0. Throws ConfigError for a negative alpha or tolerance and for less than one
/// sweep, ShapeError for sizes that do not fit, NumericError for NaN or infinity.
inline bool lasso(Eigen::MatrixXd const& gram, Eigen::VectorXd const& correlation, Eigen::VectorXd& weights,
                  LassoConfig const& config = {}) {
  Index const dims = gram.rows();
  if (!(config.alpha >= 0) || std::isinf(config.alpha) || !(config.tolerance >= 0) || config.most_sweeps < 1)
    fail<ConfigError>("lasso", "alpha and tolerance of at least 0, and one sweep",
                      {config.alpha, ", ", config.tolerance, " and ", config.most_sweeps});
  if (gram.cols() != dims || correlation.size() != dims || weights.size() != dims)
    fail<ShapeError>("lasso", "a square matrix and two vectors of " + std::to_string(dims),
                     std::to_string(gram.cols()) + " columns, " + std::to_string(correlation.size()) +
                         " and " + std::to_string(weights.size()));
  if (!gram.allFinite() || !correlation.allFinite() || !weights.allFinite())
    fail<NumericError>("lasso", "finite moments and weights", "NaN or infinity");
  double const constant = dims > 0 ? std::numeric_limits<double>::epsilon() * gram.diagonal().maxCoeff() : 0;
  double const scale = dims > 0 ? correlation.cwiseAbs().maxCoeff() : 0;
  Eigen::VectorXd residual = correlation - gram * weights;
  for (int sweep = 0; sweep < config.most_sweeps; ++sweep) {
    double greatest = 0;
    for (Index j = 0; j < dims; ++j) {
      double const curvature = gram(j, j), old = weights[j];
      double const target = residual[j] + curvature * old;
      double const shrunk = std::max(std::abs(target) - config.alpha, 0.0);
      double const next = curvature > constant ? std::copysign(shrunk, target) / curvature : 0;
      if (next == old) continue;
      residual.noalias() -= (next - old) * gram.col(j);
      weights[j] = next;
      greatest = std::max(greatest, std::abs(next - old) * curvature);
    }
    if (greatest <= config.tolerance * scale) return true;
  }
  return false;
}

}  // namespace diffsiam::eval
