// Linear discriminant analysis (Fisher 1936): a linear classifier in closed form. With S the covariance
// within levels, and m_l and p_l the mean and the share of level l,
//   score_l(x) = m_l^T S^-1 x - m_l^T S^-1 m_l / 2 + log p_l.
// It is a softmax layer, fitted with Gaussians. Least squares on indicators would be as fast, but it cannot
// predict the middle levels if levels lie along a line, as those of one dim do (Hastie et al., The Elements
// of Statistical Learning, 4.2).
#pragma once

#include <cmath>
#include <string_view>

#include <Eigen/Cholesky>
#include <Eigen/Core>

#include <diffsiam/core/error.hpp>
#include <diffsiam/eval/level_moments.hpp>
#include <diffsiam/eval/softmax_regression.hpp>

namespace diffsiam::eval {

/// Weights for softmax_predict, (width + 1, levels), from dims [begin, begin + width) of a standardised code,
/// for factor `k`. `ridge`, at least 0, is added to the variance within levels, which may be 0. A level that
/// does not occur is never predicted. Throws RangeError for a factor or dims that do not exist, ConfigError
/// for a negative ridge, NumericError if a direction has no variance but rounding: dims that depend on each
/// other without a ridge, or a code that is not standardised.
[[nodiscard]] inline SoftmaxWeights linear_discriminant(LevelMoments const& moments, int k, Index begin,
                                                        Index width, double ridge = 1e-4) {
  constexpr std::string_view name = "linear_discriminant";
  if (k < 0 || k >= static_cast<int>(moments.factors.size()))
    fail<RangeError>(name, {"a factor in [0, ", moments.factors.size(), ")"}, k);
  if (begin < 0 || width < 1 || width > moments.mean.size() - begin)
    fail<RangeError>(name, {"dims within [0, ", moments.mean.size(), ")"},
                     {"[", begin, ", ", begin + width, ")"});
  if (!(ridge >= 0) || std::isinf(ridge)) fail<ConfigError>(name, "a ridge of at least 0", ridge);
  LevelMoments::Factor const& factor = moments.factors[static_cast<std::size_t>(k)];
  Eigen::MatrixXd const shift = factor.shift.middleRows(begin, width);
  Eigen::MatrixXd within = moments.covariance.block(begin, begin, width, width);
  within.noalias() -= shift * factor.share.asDiagonal() * shift.transpose();
  within.diagonal().array() += ridge;
  Eigen::LLT<Eigen::MatrixXd> const solver{within};
  // The part of the variance of each dim that the dims before it do not explain; float sums have an error of
  // 1e-7.
  auto const own = solver.matrixLLT().diagonal().array().square() / within.diagonal().array();
  if (solver.info() != Eigen::Success || !(own.minCoeff() > 1e-6))
    fail<NumericError>(name, "variance within levels in every direction", "none but rounding",
                       "standardise the code, and leave a ridge of 1e-4");

  Index const levels = factor.share.size();
  SoftmaxWeights weights(width + 1, levels);
  weights.topRows(width) = solver.solve(shift);
  for (Index level = 0; level < levels; ++level) {
    auto const direction = weights.col(level).head(width);
    // shift is the mean of the level minus the mean of all samples, so the code is shifted, too.
    double const offset =
        -direction.dot(moments.mean.segment(begin, width)) - direction.dot(shift.col(level)) / 2;
    constexpr double never = -1e30;
    weights(width, level) = factor.share[level] > 0 ? offset + std::log(factor.share[level]) : never;
  }
  return weights;
}

}  // namespace diffsiam::eval
