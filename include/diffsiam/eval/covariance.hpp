// The covariance of features, C = sum (x - m)(x - m)^T / n. Blocks of rows are summed in float, and the
// blocks in double. Float sums leave an error of about 1e-7 of the largest variance in every direction, even
// in one without variance. So use stable_covariance_of if C is inverted or its root is taken.
#pragma once

#include <algorithm>
#include <cmath>
#include <span>

#include <Eigen/Cholesky>
#include <Eigen/Core>

#include <diffsiam/eval/features.hpp>
#include <diffsiam/eval/matrix.hpp>

namespace diffsiam::eval {

/// The mean of the samples, (dims). Throws ShapeError if there is no sample, NumericError for NaN or
/// infinity.
[[nodiscard]] inline Eigen::VectorXd mean_of(Features const& features) {
  require_feature_shape("mean_of", features);
  Eigen::VectorXd mean = Eigen::VectorXd::Zero(features.dims);
  for (Index i = 0; i < features.count; ++i)
    mean += Eigen::Map<Eigen::VectorXf const>(features.row(i), features.dims).cast<double>();
  if (!mean.allFinite()) require_features("mean_of", features);
  return mean / static_cast<double>(features.count);
}

namespace detail {

/// C, where the sums of a block have type T.
template <class T>
[[nodiscard]] Eigen::MatrixXd covariance_in(Features const& features, Eigen::VectorXd const& mean,
                                            ThreadPool* pool) {
  constexpr Index block = 2048, panel = 64;
  Index const dims = features.dims;
  using Rows = Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
  Eigen::Matrix<T, 1, Eigen::Dynamic> const centre = mean.transpose().cast<T>();
  Eigen::MatrixXd result = Eigen::MatrixXd::Zero(dims, dims);
  // Each piece is a panel of columns, from the diagonal down.
  for_pieces(pool, block_count(dims, panel), [&](Index piece) {
    auto const [first, width] = row_block(dims, panel, piece);
    Rows centred;
    Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic> product;
    for (Index part = 0; part < block_count(features.count, block); ++part) {
      centred = rows_of(features, row_block(features.count, block, part))
                    .rightCols(dims - first)
                    .template cast<T>();
      centred.rowwise() -= centre.tail(dims - first);
      product.noalias() = centred.transpose() * centred.leftCols(width);
      result.block(first, first, dims - first, width) += product.template cast<double>();
    }
  });
  result.template triangularView<Eigen::StrictlyUpper>() = result.transpose();
  return result / static_cast<double>(features.count);
}

/// False if a square overflowed in float, or if the squares of a dim that varies underflowed.
[[nodiscard]] inline bool float_holds_squares(Features const& features, Eigen::MatrixXd const& covariance) {
  for (Index j = 0; j < features.dims; ++j) {
    if (!std::isfinite(covariance(j, j))) return false;
    if (covariance(j, j) > 1e-30) continue;
    for (Index i = 1; i < features.count; ++i)
      if (features.row(i)[j] != features.row(0)[j]) return false;
  }
  return true;
}

/// Whether some dim is a linear combination of others, within the precision of float sums: 1 - R^2 is below
/// 1e-5. Constant dims are ignored.
[[nodiscard]] inline bool nearly_dependent(Eigen::MatrixXd const& covariance) {
  Eigen::VectorXd const variance = covariance.diagonal();
  Eigen::VectorXd const scale = (variance.array() > 0).select(variance.array().rsqrt(), 0.0);
  Eigen::MatrixXd correlation = scale.asDiagonal() * covariance * scale.asDiagonal();
  correlation.diagonal().setOnes();
  Eigen::LLT<Eigen::MatrixXd> const solver{correlation};
  return solver.info() != Eigen::Success ||
         solver.matrixLLT().diagonal().cwiseAbs2().minCoeff() < 1e-5;  // of dim j, given those before it
}

inline void require_mean(std::string_view operation, Features const& features, Eigen::VectorXd const& mean) {
  require_feature_shape(operation, features);
  if (mean.size() != features.dims)
    fail<ShapeError>(operation, {"a mean of ", features.dims, " dims"}, mean.size());
}

}  // namespace detail

/// covariance_of with all sums in double. It takes two to four times as long.
[[nodiscard]] inline Eigen::MatrixXd precise_covariance_of(Features const& features,
                                                           Eigen::VectorXd const& mean,
                                                           ThreadPool* pool = nullptr) {
  detail::require_mean("covariance_of", features, mean);
  Eigen::MatrixXd result = detail::covariance_in<double>(features, mean, pool);
  if (!result.allFinite()) require_features("covariance_of", features);
  return result;
}

/// The covariance, (dims, dims). It has the same bits with any number of threads; `pool` may be null. It is
/// computed in double if float cannot hold the squares of huge or tiny features. Throws ShapeError if there
/// is no sample or the mean has other dims, NumericError for NaN or infinity.
[[nodiscard]] inline Eigen::MatrixXd covariance_of(Features const& features, Eigen::VectorXd const& mean,
                                                   ThreadPool* pool = nullptr) {
  detail::require_mean("covariance_of", features, mean);
  Eigen::MatrixXd result = detail::covariance_in<float>(features, mean, pool);
  return detail::float_holds_squares(features, result) ? result : precise_covariance_of(features, mean, pool);
}

/// covariance_of, but in double if dims depend on each other, as they do with few samples. The result may be
/// inverted, or its root may be taken. Errors are those of covariance_of.
[[nodiscard]] inline Eigen::MatrixXd stable_covariance_of(Features const& features,
                                                          Eigen::VectorXd const& mean,
                                                          ThreadPool* pool = nullptr) {
  if (features.count > features.dims) {
    Eigen::MatrixXd result = covariance_of(features, mean, pool);
    if (!detail::nearly_dependent(result)) return result;
  }
  return precise_covariance_of(features, mean, pool);
}

}  // namespace diffsiam::eval
