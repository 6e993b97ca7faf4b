// Walking a grid fast: neighbouring extents that every operand crosses in one stride are merged first, so
// that most operations become one long contiguous loop.
#pragma once

#include <array>
#include <cstddef>
#include <utility>

#include <diffsiam/core/strided.hpp>

namespace diffsiam::backend::cpu {

/// Merges each axis into the next inner one wherever all operands cross both in one stride; merged axes get
/// extent 1.
template <class... O>
void merge_extents(Grid& grid, O const&... operands) {
  std::size_t inner = 4;
  for (std::size_t axis = 4; axis-- > 0;) {
    if (grid.extent[axis] == 1) continue;
    if (((operands.stride[axis] == operands.stride[inner] * grid.extent[inner]) && ...)) {
      grid.extent[inner] *= std::exchange(grid.extent[axis], 1);
    } else {
      inner = axis;
    }
  }
}

/// The four outer indices of a row, with the offsets of every operand kept up to date.
template <std::size_t N>
class RowCursor {
 public:
  template <class... O>
  RowCursor(Grid const& grid, Index row, O const&... operands) : grid_(grid), strides_{operands.stride...} {
    for (std::size_t axis = 4; axis-- > 0;) {
      index_[axis] = row % grid.extent[axis];
      row /= grid.extent[axis];
      for (std::size_t i = 0; i < N; ++i) offset_[i] += index_[axis] * strides_[i][axis];
    }
  }
  [[nodiscard]] Index offset(std::size_t operand) const { return offset_[operand]; }
  void next() {
    for (std::size_t axis = 4; axis-- > 0;) {
      ++index_[axis];
      for (std::size_t i = 0; i < N; ++i) offset_[i] += strides_[i][axis];
      if (index_[axis] < grid_.extent[axis]) return;
      for (std::size_t i = 0; i < N; ++i) offset_[i] -= index_[axis] * strides_[i][axis];
      index_[axis] = 0;
    }
  }

 private:
  Grid const& grid_;
  std::array<Extents5, N> strides_;
  std::array<Index, 4> index_{};
  std::array<Index, N> offset_{};
};

}  // namespace diffsiam::backend::cpu
