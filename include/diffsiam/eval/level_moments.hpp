// LevelMoments: the mean and covariance of a code, and the means for each level of each factor. Predictors in
// closed form need nothing else of the samples.
#pragma once

#include <vector>

#include <Eigen/Core>

#include <diffsiam/eval/covariance.hpp>
#include <diffsiam/eval/factors.hpp>
#include <diffsiam/eval/features.hpp>

namespace diffsiam::eval {

/// Moments of all samples, and of the levels of each factor.
struct LevelMoments {
  /// The levels of one factor.
  struct Factor {
    Eigen::VectorXd share;  ///< the fraction of samples at each level, (levels)
    Eigen::MatrixXd
        shift;  ///< mean of the level minus the mean of all, 0 where it does not occur; (dims, levels)
  };

  Eigen::VectorXd mean;           ///< (dims)
  Eigen::MatrixXd covariance;     ///< (dims, dims)
  std::vector<Factor> factors{};  ///< in the order of the data's factors

  /// The moments of `data`. They have the same bits with any number of threads; `pool` may be null. Throws as
  /// require_level_table and covariance_of. A factor may have only one level.
  [[nodiscard]] static LevelMoments of(Factored const& data, ThreadPool* pool = nullptr) {
    Features const& x = data.features;
    require_feature_shape("LevelMoments", x);
    require_level_table("LevelMoments", data.factors, x.count);
    LevelMoments result{.mean = mean_of(x), .covariance = {}};
    result.covariance = covariance_of(x, result.mean, pool);
    result.factors.resize(static_cast<std::size_t>(data.factors.factors));
    detail::for_pieces(pool, data.factors.factors, [&](Index k) {
      std::vector<int> const column = factor_column(data.factors, static_cast<int>(k));
      Factor& factor = result.factors[static_cast<std::size_t>(k)];
      Index const levels = levels_of(column);
      factor.share.setZero(levels);
      factor.shift.setZero(x.dims, levels);
      for (Index i = 0; i < x.count; ++i) {
        int const level = column[static_cast<std::size_t>(i)];
        factor.share[level] += 1;
        factor.shift.col(level) += Eigen::Map<Eigen::VectorXf const>(x.row(i), x.dims).cast<double>();
      }
      for (Index level = 0; level < levels; ++level)
        if (factor.share[level] > 0)
          factor.shift.col(level) = factor.shift.col(level) / factor.share[level] - result.mean;
      factor.share /= static_cast<double>(x.count);
    });
    return result;
  }
};

}  // namespace diffsiam::eval
