// Covariance of features: C = sum (x - m)(x - m)^T / n, in blocks of rows summed in float, the blocks in
// double. Float sums leave about 1e-7 of the greatest variance on every direction, one without variance too:
// who inverts C, or takes its root, asks for stable_covariance_of.
#pragma once

#include <algorithm>
#include <cmath>
#include <span>

#include <Eigen/Cholesky>
#include <Eigen/Core>

#include <diffsiam/eval/features.hpp>
#include <diffsiam/eval/matrix.hpp>

namespace diffsiam::eval {

/// Mean over the samples, (dims). Throws ShapeError for no sample, NumericError for NaN or infinity.
[[nodiscard]] inline Eigen::VectorXd mean_of(Features const& features) {
  require_feature_shape("mean_of", features);
  Eigen::VectorXd mean = Eigen::VectorXd::Zero(features.dims);
  for (Index i = 0; i < features.count; ++i)
    mean += Eigen::Map<Eigen::VectorXf const>(features.row(i), features.dims).cast<double>();
  if (!mean.allFinite()) require_features("mean_of", features);
  return mean / static_cast<double>(features.count);
}

namespace detail {

/// C with the sums of a block in T.
template <class T>
[[nodiscard]] Eigen::MatrixXd covariance_in(Features const& features, Eigen::VectorXd const& mean,
                                            ThreadPool* pool) {
  constexpr Index block = 2048, panel = 64;
  Index const dims = features.dims;
  using Rows = Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
  Eigen::Matrix<T, 1, Eigen::Dynamic> const centre = mean.transpose().cast<T>();
  Eigen::MatrixXd result = Eigen::MatrixXd::Zero(dims, dims);
  // A piece is a panel of columns, from the diagonal down.
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

/// Whether no square overflowed in float, and none of a dim that varies vanished.
[[nodiscard]] inline bool float_holds_squares(Features const& features, Eigen::MatrixXd const& covariance) {
  for (Index j = 0; j < features.dims; ++j) {
    if (!std::isfinite(covariance(j, j))) return false;
    if (covariance(j, j) > 1e-30) continue;
    for (Index i = 1; i < features.count; ++i)
      if (features.row(i)[j] != features.row(0)[j]) return false;
  }
  return true;
}

/// Whether some dim is a sum of others as far as float sums tell: 1 - R^2 below 1e-5. Constant dims are left
/// aside.
[[nodiscard]] inline bool nearly_dependent(Eigen::MatrixXd const& covariance) {
  Eigen::VectorXd const variance = covariance.diagonal();
  Eigen::VectorXd const scale = (variance.array() > 0).select(variance.array().rsqrt(), 0.0);
  Eigen::MatrixXd correlation = scale.asDiagonal() * covariance * scale.asDiagonal();
  correlation.diagonal().setOnes();
  Eigen::LLT<Eigen::MatrixXd> const solver{correlation};
  return solver.info() != Eigen::Success ||
         solver.matrixLLT().diagonal().cwiseAbs2().minCoeff() < 1e-5;  // of dim j given those before
}

inline void require_mean(std::string_view operation, Features const& features, Eigen::VectorXd const& mean) {
  require_feature_shape(operation, features);
  if (mean.size() != features.dims)
    fail<ShapeError>(operation, {"a mean of ", features.dims, " dims"}, mean.size());
}

}  // namespace detail

/// The same with all sums in double, at two to four times the time.
[[nodiscard]] inline Eigen::MatrixXd precise_covariance_of(Features const& features,
                                                           Eigen::VectorXd const& mean,
                                                           ThreadPool* pool = nullptr) {
  detail::require_mean("covariance_of", features, mean);
  Eigen::MatrixXd result = detail::covariance_in<double>(features, mean, pool);
  if (!result.allFinite()) require_features("covariance_of", features);
  return result;
}

/// (dims, dims). The bits do not depend on the threads of `pool`, which may be null. In double where a float
/// would lose squares of huge or tiny features. Throws ShapeError for no sample or another mean, NumericError
/// for NaN or infinity.
[[nodiscard]] inline Eigen::MatrixXd covariance_of(Features const& features, Eigen::VectorXd const& mean,
                                                   ThreadPool* pool = nullptr) {
  detail::require_mean("covariance_of", features, mean);
  Eigen::MatrixXd result = detail::covariance_in<float>(features, mean, pool);
  return detail::float_holds_squares(features, result) ? result : precise_covariance_of(features, mean, pool);
}

/// covariance_of, but precise where the dims depend on each other, as those of few samples do: fit to be
/// inverted, or to have its root taken. Errors as covariance_of.
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
