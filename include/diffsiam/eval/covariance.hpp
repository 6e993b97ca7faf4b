// Covariance of features: C = sum (x - m)(x - m)^T / n, in blocks of rows summed in float, the blocks in
// double.
#pragma once

#include <algorithm>
#include <span>

#include <Eigen/Core>

#include <diffsiam/eval/features.hpp>
#include <diffsiam/eval/matrix.hpp>

namespace diffsiam::eval {

/// Mean over the samples, (dims).
[[nodiscard]] inline Eigen::VectorXd mean_of(Features const& features) {
  Eigen::VectorXd mean = Eigen::VectorXd::Zero(features.dims);
  for (Index i = 0; i < features.count; ++i)
    mean += Eigen::Map<Eigen::VectorXf const>(features.row(i), features.dims).cast<double>();
  return mean / static_cast<double>(features.count);
}

/// (dims, dims). The bits do not depend on the threads of `pool`, which may be null.
[[nodiscard]] inline Eigen::MatrixXd covariance_of(Features const& features, Eigen::VectorXd const& mean,
                                                   ThreadPool* pool = nullptr) {
  constexpr Index block = 2048, panel = 64;
  Index const dims = features.dims;
  Eigen::RowVectorXf const centre = mean.transpose().cast<float>();
  Eigen::MatrixXd result = Eigen::MatrixXd::Zero(dims, dims);
  // A piece is a panel of columns, from the diagonal down.
  detail::for_pieces(pool, detail::block_count(dims, panel), [&](Index piece) {
    auto const [first, width] = detail::row_block(dims, panel, piece);
    detail::RowMatrix centred;
    Eigen::MatrixXf product;
    for (Index part = 0; part < detail::block_count(features.count, block); ++part) {
      centred =
          detail::rows_of(features, detail::row_block(features.count, block, part)).rightCols(dims - first);
      centred.rowwise() -= centre.tail(dims - first);
      product.noalias() = centred.transpose() * centred.leftCols(width);
      result.block(first, first, dims - first, width) += product.cast<double>();
    }
  });
  result.triangularView<Eigen::StrictlyUpper>() = result.transpose();
  return result / static_cast<double>(features.count);
}

}  // namespace diffsiam::eval
