// Element-wise operations of the Cpu backend: rows of the merged grid, cut into pieces by shape.
#pragma once

#include <algorithm>
#include <utility>

#include <diffsiam/backend/cpu/loops.hpp>
#include <diffsiam/backend/host/context.hpp>
#include <diffsiam/config.hpp>

namespace diffsiam::backend::cpu {

/// Elements a piece: enough to pay for waking a thread.
inline constexpr Index elements_per_piece = 1 << 14;

/// f over `size` elements of one row. Inner strides are constants, so the loop vectorises. Operands of one
/// call are the same element or do not overlap, so iterations are independent.
template <class F, class... O>
DIFFSIAM_ALWAYS_INLINE void apply_row(F const& f, Index size, O... operands) {
  DIFFSIAM_INDEPENDENT_ITERATIONS
  for (Index i = 0; i < size; ++i) f(operands.data[i * O::inner]...);
}

template <class F, class... O>
void for_each(HostContext& context, Grid grid, F f, O... operands) {
  if (grid.size() == 0) return;
  merge_extents(grid, operands...);
  Index const inner = grid.extent[4];
  Index const rows = grid.size() / inner;
  auto const work = [&]<std::size_t... I>(std::index_sequence<I...>) {
    if (rows == 1) {
      Index const pieces = (inner + elements_per_piece - 1) / elements_per_piece;
      context.threads().run(pieces, [&](Index piece, int) {
        Index const from = piece * elements_per_piece;
        apply_row(f, std::min(elements_per_piece, inner - from),
                  O{operands.data + from * O::inner, operands.stride}...);
      });
      return;
    }
    Index const rows_per_piece = std::max<Index>(1, elements_per_piece / inner);
    Index const pieces = (rows + rows_per_piece - 1) / rows_per_piece;
    context.threads().run(pieces, [&](Index piece, int) {
      Index const from = piece * rows_per_piece;
      Index const to = std::min(from + rows_per_piece, rows);
      RowCursor<sizeof...(O)> cursor{grid, from, operands...};
      for (Index row = from; row < to; ++row, cursor.next()) {
        apply_row(f, inner, O{operands.data + cursor.offset(I), operands.stride}...);
      }
    });
  };
  work(std::index_sequence_for<O...>{});
}

}  // namespace diffsiam::backend::cpu
