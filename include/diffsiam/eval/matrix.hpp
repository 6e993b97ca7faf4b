// Features as Eigen sees them. An inside of eval/.
#pragma once

#include <Eigen/Core>

#include <diffsiam/eval/features.hpp>

namespace diffsiam::eval::detail {

using RowMatrix = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
using RowMap = Eigen::Map<RowMatrix const>;

/// Rows of a block, without a copy; (rows, dims).
[[nodiscard]] inline RowMap rows_of(Features const& features, RowBlock const& block) {
  return {features.row(block.begin), block.rows, features.dims};
}

}  // namespace diffsiam::eval::detail
