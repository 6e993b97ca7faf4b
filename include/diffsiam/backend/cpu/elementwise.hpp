// Element-wise operations of the Cpu backend: rows of the merged grid, cut into pieces by shape.
#pragma once

#include <algorithm>
#include <utility>

#include <diffsiam/backend/cpu/loops.hpp>
#include <diffsiam/config.hpp>

namespace diffsiam::backend::cpu {

/// A functor applied to a plane: rows of `columns` elements, `row_stride` apart.
template <class T, std::size_t N>
using PlaneKernel = void (*)(void const* f, std::array<T*, N> data, std::array<Index, N> const& row_stride,
                             Index rows, Index columns);

/// Inner strides and the length of a block are constants, so the loop vectorises, also at -O2. Operands of
/// one call are the same element or do not overlap, so iterations are independent.
template <class T, class F, int... Inner, std::size_t... I>
void apply_plane(void const* functor, std::array<T*, sizeof...(I)> data,
                 std::array<Index, sizeof...(I)> const& row_stride, Index rows, Index columns,
                 std::integer_sequence<int, Inner...>, std::index_sequence<I...>) {
  constexpr Index block = 16;
  F const f = *static_cast<F const*>(functor);
  for (Index row = 0; row < rows; ++row) {
    [&](auto*... p) {
      Index i = 0;
      for (; i + block <= columns; i += block) {
        [&](auto*... q) {
          DIFFSIAM_INDEPENDENT_ITERATIONS
          for (Index j = 0; j < block; ++j) f(q[j * Inner]...);
        }((p + i * Inner)...);
      }
      for (; i < columns; ++i) f(p[i * Inner]...);
    }(data[I]...);
    ((data[I] += row_stride[I]), ...);
  }
}

/// The walk, whatever the functor.
template <class T, std::size_t N>
void for_each_plane(HostContext& context, Grid grid, Walkers<T, N> operands, std::array<int, N> const& inner,
                    PlaneKernel<T, N> kernel, void const* f) {
  if (grid.size() == 0) return;
  merge_extents(grid, operands);
  Index const columns = grid.extent[4];
  Index const rows = grid.size() / columns;
  if (rows == 1) {
    context.threads().run((columns + elements_per_piece - 1) / elements_per_piece, [&](Index piece, int) {
      Index const from = piece * elements_per_piece;
      std::array<T*, N> data{};
      for (std::size_t i = 0; i < N; ++i) data[i] = operands[i].data + from * inner[i];
      kernel(f, data, {}, 1, std::min(elements_per_piece, columns - from));
    });
    return;
  }
  Index const rows_per_piece = std::max<Index>(1, elements_per_piece / columns);
  context.threads().run((rows + rows_per_piece - 1) / rows_per_piece, [&](Index piece, int) {
    Index const from = piece * rows_per_piece;
    walk_rows(grid, operands, from, std::min(from + rows_per_piece, rows),
              [&](auto const& data, auto const& row_stride, Index count) {
                join_rows(data, row_stride, inner, count, columns, joined_columns,
                          [&](auto const& d, auto const& s, Index r, Index c) { kernel(f, d, s, r, c); });
              });
  });
}

template <class T, class F, class... O>
void for_each(HostContext& context, Grid const& grid, F const& f, O const&... operands) {
  constexpr std::size_t n = sizeof...(O);
  PlaneKernel<T, n> const kernel = [](void const* functor, std::array<T*, n> data,
                                      std::array<Index, n> const& row_stride, Index rows, Index columns) {
    apply_plane<T, F>(functor, data, row_stride, rows, columns, std::integer_sequence<int, O::inner...>{},
                      std::index_sequence_for<O...>{});
  };
  for_each_plane<T, n>(context, grid, walkers<T>(operands...), {O::inner...}, kernel, &f);
}

}  // namespace diffsiam::backend::cpu
