// How the Cpu backend visits a grid. Neighbouring extents that can be crossed in one stride by every operand
// are merged first, so that most operations become one long contiguous loop; otherwise planes of rows remain.
// Only the two loops of a plane are compiled for each functor, which keeps compile times low.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <initializer_list>
#include <utility>

#include <diffsiam/backend/host/context.hpp>
#include <diffsiam/core/strided.hpp>

namespace diffsiam::backend::cpu {

/// Elements in one piece of work: enough to pay for waking a thread.
inline constexpr Index elements_per_piece = 1 << 14;
/// The most operands of one call.
inline constexpr std::size_t most_operands = 12;

/// An operand without its functor: its address and its strides.
template <class T>
struct Walker {
  T* data = nullptr;
  Extents5 stride{};
};
/// A pointer into every operand.
template <class T>
using Places = std::array<T*, most_operands>;
/// The distance to the next row in every operand.
using Strides = std::array<Index, most_operands>;

/// What a call passes on for one operand. It is small, because the code is compiled for each call.
template <class T>
struct OperandRef {
  T* data;
  Extents5 const* stride;
};
/// The address and strides of an operand. Functors do not write to operands that they take as const.
template <class T, class O>
[[nodiscard]] OperandRef<T> forget(O const& operand) {
  return {const_cast<T*>(operand.data), &operand.stride};
}

/// The addresses and strides of all operands of one call.
template <class T>
struct Walkers {
  std::array<Walker<T>, most_operands> at;
  std::size_t count = 0;

  explicit Walkers(std::initializer_list<OperandRef<T>> operands) {
    for (OperandRef<T> const& operand : operands) at[count++] = {operand.data, *operand.stride};
  }
};

/// diffsiam::merge_extents for all operands; `other`, if not null, is merged in the same way.
template <class T>
void merge_extents(Grid& grid, Walkers<T>& operands, Walker<T>* other = nullptr) {
  diffsiam::merge_extents(grid, [&](auto f) {
    for (std::size_t i = 0; i < operands.count; ++i) f(operands.at[i].stride);
    if (other != nullptr) f(other->stride);
  });
}

/// Pointers into all operands at row `index`, where rows are counted along axes 0 to 3.
template <class T>
[[nodiscard]] Places<T> row_at(Grid const& grid, Walkers<T> const& operands, Index index) {
  Extents5 at{};
  for (std::size_t axis = 4; axis-- > 0;) {
    at[axis] = index % grid.extent[axis];
    index /= grid.extent[axis];
  }
  Places<T> data{};
  for (std::size_t i = 0; i < operands.count; ++i) {
    data[i] = operands.at[i].data;
    for (std::size_t axis = 0; axis < 4; ++axis) data[i] += at[axis] * operands.at[i].stride[axis];
  }
  return data;
}

/// A function on a plane: rows of `columns` elements, `row_stride` apart.
template <class T>
using PlaneRef = FunctionRef<void(T* const* data, Index const* row_stride, Index rows, Index columns)>;

/// Calls plane for rows [from, to). Rows are counted through all planes of a grid, which have extent[3] rows
/// each.
template <class T>
void walk_rows(Grid const& grid, Walkers<T> const& operands, Index from, Index to, Index columns,
               PlaneRef<T> plane) {
  Strides row_stride{};
  for (std::size_t i = 0; i < operands.count; ++i) row_stride[i] = operands.at[i].stride[3];
  while (from < to) {
    Index const count = std::min(grid.extent[3] - from % grid.extent[3], to - from);
    plane(row_at(grid, operands, from).data(), row_stride.data(), count, columns);
    from += count;
  }
}

/// Calls plane for the whole grid in pieces that depend only on its shape: parts of a single row, or rows of
/// planes.
template <class T>
void walk_in_pieces(HostContext& context, Grid const& grid, Walkers<T> const& operands, PlaneRef<T> plane) {
  Index const columns = grid.extent[4];
  Index const rows = grid.size() / columns;
  if (rows == 1) {
    context.threads().run((columns + elements_per_piece - 1) / elements_per_piece, [&](Index piece, int) {
      Index const from = piece * elements_per_piece;
      Places<T> data{};
      for (std::size_t i = 0; i < operands.count; ++i)
        data[i] = operands.at[i].data + from * operands.at[i].stride[4];
      plane(data.data(), Strides{}.data(), 1, std::min(elements_per_piece, columns - from));
    });
    return;
  }
  Index const rows_per_piece = std::max<Index>(1, elements_per_piece / columns);
  context.threads().run((rows + rows_per_piece - 1) / rows_per_piece, [&](Index piece, int) {
    Index const from = piece * rows_per_piece;
    walk_rows<T>(grid, operands, from, std::min(from + rows_per_piece, rows), columns, plane);
  });
}

/// The most elements that narrow rows are joined to.
inline constexpr Index joined_columns = 128;

/// Calls plane with narrow rows joined to rows of at most `most` elements, if the rows of every operand are
/// contiguous or all the same; those that are the same are copied side by side. Without this, loops over 16
/// channels would be too short to be fast.
template <class T>
void join_rows(T* const* from, Index const* row_stride, Walkers<T> const& operands, Index rows, Index columns,
               Index most, PlaneRef<T> plane) {
  Index joined = most / columns;
  while (joined > 1 && joined * columns % 16 != 0 && most / columns - joined < 15) --joined;
  bool joinable = joined > 1 && rows >= 2 * joined;
  for (std::size_t i = 0; i < operands.count; ++i)
    joinable =
        joinable && (row_stride[i] == 0 || (row_stride[i] == columns && operands.at[i].stride[4] == 1));
  if (!joinable) {
    plane(from, row_stride, rows, columns);
    return;
  }
  std::array<T, most_operands* static_cast<std::size_t>(joined_columns)> repeated;
  Places<T> data{};
  Strides wide_stride{};
  for (std::size_t i = 0; i < operands.count; ++i) {
    data[i] = from[i];
    wide_stride[i] = row_stride[i] * joined;
    if (row_stride[i] != 0 || operands.at[i].stride[4] == 0) continue;
    data[i] = repeated.data() + i * static_cast<std::size_t>(joined_columns);
    for (Index copy = 0; copy < joined; ++copy) std::copy_n(from[i], columns, data[i] + copy * columns);
  }
  Index const wide_rows = rows / joined;
  plane(data.data(), wide_stride.data(), wide_rows, columns * joined);
  if (rows == wide_rows * joined) return;
  for (std::size_t i = 0; i < operands.count; ++i) data[i] = from[i] + wide_rows * wide_stride[i];
  plane(data.data(), row_stride, rows - wide_rows * joined, columns);
}

}  // namespace diffsiam::backend::cpu
