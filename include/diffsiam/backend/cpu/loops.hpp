// Walking a grid fast. Neighbouring extents that every operand crosses in one stride are merged first, so
// that most operations become one long contiguous loop; what is left are planes of rows. The walk is compiled
// once a number of operands, only the plane's two loops once a functor: that is what keeps compile times low.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <utility>

#include <diffsiam/backend/host/context.hpp>
#include <diffsiam/core/strided.hpp>

namespace diffsiam::backend::cpu {

/// Elements a piece: enough to pay for waking a thread.
inline constexpr Index elements_per_piece = 1 << 14;

/// An operand whose functor does not matter: where it is, how it moves.
template <class T>
struct Walker {
  T* data;
  Extents5 stride;
};
template <class T, std::size_t N>
using Walkers = std::array<Walker<T>, N>;

/// Operands forgotten down to walkers. Functors do not write what they take as const.
template <class T, class... O>
[[nodiscard]] Walkers<T, sizeof...(O)> walkers(O const&... operands) {
  return {Walker<T>{const_cast<T*>(operands.data), operands.stride}...};
}

/// Merges each axis into the next inner one wherever all operands cross both in one stride; merged axes get
/// extent 1, and the innermost axis that still loops beside the last one becomes axis 3.
template <class T, std::size_t N>
void merge_extents(Grid& grid, Walkers<T, N>& operands) {
  std::size_t inner = 4;
  for (std::size_t axis = 4; axis-- > 0;) {
    if (grid.extent[axis] == 1) continue;
    bool mergeable = true;
    for (auto const& o : operands)
      mergeable = mergeable && o.stride[axis] == o.stride[inner] * grid.extent[inner];
    if (mergeable) {
      grid.extent[inner] *= std::exchange(grid.extent[axis], 1);
    } else {
      inner = axis;
    }
  }
  std::size_t to = 3;
  for (std::size_t axis = 4; axis-- > 0;) {
    if (grid.extent[axis] == 1) continue;
    std::swap(grid.extent[axis], grid.extent[to]);
    for (auto& o : operands) std::swap(o.stride[axis], o.stride[to]);
    --to;
  }
}

/// Offsets of all operands at plane `index`, counting planes along axes 0 to 2.
template <class T, std::size_t N>
[[nodiscard]] std::array<T*, N> plane_at(Grid const& grid, Walkers<T, N> const& operands, Index index) {
  std::array<T*, N> data{};
  for (std::size_t i = 0; i < N; ++i) data[i] = operands[i].data;
  for (std::size_t axis = 3; axis-- > 0;) {
    Index const at = index % grid.extent[axis];
    index /= grid.extent[axis];
    for (std::size_t i = 0; i < N; ++i) data[i] += at * operands[i].stride[axis];
  }
  return data;
}

/// Calls plane(data, row_strides, rows) for rows [from, to), counted through all planes of a grid with
/// extent[3] rows each.
template <class T, std::size_t N, class Plane>
void walk_rows(Grid const& grid, Walkers<T, N> const& operands, Index from, Index to, Plane plane) {
  std::array<Index, N> row_stride{};
  for (std::size_t i = 0; i < N; ++i) row_stride[i] = operands[i].stride[3];
  Index const rows = grid.extent[3];
  while (from < to) {
    Index const first = from % rows;
    Index const count = std::min(rows - first, to - from);
    std::array<T*, N> data = plane_at(grid, operands, from / rows);
    for (std::size_t i = 0; i < N; ++i) data[i] += first * row_stride[i];
    plane(data, row_stride, count);
    from += count;
  }
}

/// Elements that narrow rows are joined to.
inline constexpr Index joined_columns = 128;

/// Calls kernel(data, row_strides, rows, columns) for a plane. Where every operand has its rows one after the
/// other or repeats a single one, narrow rows are joined to wider ones, the repeated ones in a copy: with 16
/// channels a loop would otherwise end as soon as it has begun.
template <class T, std::size_t N, class Kernel>
void join_rows(std::array<T*, N> data, std::array<Index, N> const& row_stride,
               std::array<int, N> const& inner, Index rows, Index columns, Index most, Kernel kernel) {
  Index joined = most / columns;
  while (joined > 1 && joined * columns % 16 != 0 && most / columns - joined < 15) --joined;
  bool joinable = joined > 1 && rows >= 2 * joined;
  for (std::size_t i = 0; i < N; ++i)
    joinable = joinable && (row_stride[i] == 0 || (row_stride[i] == columns && inner[i] == 1));
  if (!joinable) {
    kernel(data, row_stride, rows, columns);
    return;
  }
  std::array<std::array<T, static_cast<std::size_t>(joined_columns)>, N> repeated;
  std::array<T*, N> wide = data;
  std::array<Index, N> wide_stride{};
  for (std::size_t i = 0; i < N; ++i) {
    wide_stride[i] = row_stride[i] * joined;
    if (row_stride[i] != 0 || inner[i] == 0) continue;
    wide[i] = repeated[i].data();
    for (Index copy = 0; copy < joined; ++copy) std::copy_n(data[i], columns, wide[i] + copy * columns);
  }
  Index const wide_rows = rows / joined;
  kernel(wide, wide_stride, wide_rows, columns * joined);
  if (rows == wide_rows * joined) return;
  for (std::size_t i = 0; i < N; ++i) data[i] += wide_rows * wide_stride[i];
  kernel(data, row_stride, rows - wide_rows * joined, columns);
}

}  // namespace diffsiam::backend::cpu
