// Linear discriminant analysis (Fisher 1936): a linear classifier in closed form. With S the covariance
// within levels, m_l and p_l the mean and the share of level l,
//   score_l(x) = m_l^T S^-1 x - m_l^T S^-1 m_l / 2 + log p_l.
// A softmax layer as fitted by Gaussians. Least squares on indicators would be as cheap, but cannot name the
// middle ones of levels that stand in line (Hastie et al., The Elements of Statistical Learning, 4.2), as
// those of one dim do.
#pragma once

#include <cmath>

#include <Eigen/Cholesky>
#include <Eigen/Core>

#include <diffsiam/eval/level_moments.hpp>
#include <diffsiam/eval/softmax_regression.hpp>

namespace diffsiam::eval {

/// Weights that softmax_predict takes, (width + 1, levels), over dims [begin, begin + width) of a
/// standardised code, for factor `k`. `ridge` is added to the variance within levels: a code may have none. A
/// level that does not occur is never predicted.
[[nodiscard]] inline SoftmaxWeights linear_discriminant(LevelMoments const& moments, int k, Index begin,
                                                        Index width, double ridge = 1e-4) {
  LevelMoments::Factor const& factor = moments.factors[static_cast<std::size_t>(k)];
  Eigen::MatrixXd const shift = factor.shift.middleRows(begin, width);
  Eigen::MatrixXd within = moments.covariance.block(begin, begin, width, width);
  within.noalias() -= shift * factor.share.asDiagonal() * shift.transpose();
  within.diagonal().array() += ridge;
  Eigen::LLT<Eigen::MatrixXd> const solver{within};

  Index const levels = factor.share.size();
  SoftmaxWeights weights(width + 1, levels);
  weights.topRows(width) = solver.solve(shift);
  for (Index level = 0; level < levels; ++level) {
    auto const direction = weights.col(level).head(width);
    // shift is the mean of the level less that of all: the code is moved likewise.
    double const offset =
        -direction.dot(moments.mean.segment(begin, width)) - direction.dot(shift.col(level)) / 2;
    constexpr double never = -1e30;
    weights(width, level) = factor.share[level] > 0 ? offset + std::log(factor.share[level]) : never;
  }
  return weights;
}

}  // namespace diffsiam::eval
