// Features as Eigen matrices, and linear layers on them. For the headers of eval/ only.
#pragma once

#include <string_view>
#include <vector>

#include <Eigen/Core>

#include <diffsiam/eval/features.hpp>

namespace diffsiam::eval::detail {

using RowMatrix = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
using RowMap = Eigen::Map<RowMatrix const>;

/// The rows of a block as a view, (rows, dims).
[[nodiscard]] inline RowMap rows_of(Features const& features, RowBlock const& block) {
  return {features.row(block.begin), block.rows, features.dims};
}

/// W^T x + b of each sample, (count, outputs), row-major. x begins at column `first`; `weights` (columns + 1,
/// outputs) is W above b. Throws ShapeError for counts that do not fit, NumericError for a result that is not
/// finite, for example because a feature is not.
[[nodiscard]] inline std::vector<float> linear_outputs(std::string_view operation, Features const& features,
                                                       Index first, Eigen::MatrixXd const& weights,
                                                       ThreadPool* pool) {
  require_feature_shape(operation, features);
  constexpr Index block = 1024;
  Eigen::MatrixXf const narrow = weights.cast<float>();
  Index const width = narrow.rows() - 1, outputs = narrow.cols();
  std::vector<float> result(static_cast<std::size_t>(features.count * outputs));
  Eigen::Map<RowMatrix> all{result.data(), features.count, outputs};
  for_pieces(pool, block_count(features.count, block), [&](Index piece) {
    RowBlock const rows = row_block(features.count, block, piece);
    auto out = all.middleRows(rows.begin, rows.rows);
    out.noalias() = rows_of(features, rows).middleCols(first, width) * narrow.topRows(width);
    out.rowwise() += narrow.row(width);
  });
  require_finite(operation, "features and weights of finite outputs", result, outputs);
  return result;
}

}  // namespace diffsiam::eval::detail
