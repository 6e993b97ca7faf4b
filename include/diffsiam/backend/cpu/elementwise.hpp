// Element-wise operations of the Cpu backend. The rows of the merged grid are divided among threads by shape.
#pragma once

#include <algorithm>
#include <utility>

#include <diffsiam/backend/cpu/loops.hpp>
#include <diffsiam/config.hpp>

namespace diffsiam::backend::cpu {

/// A functor applied to a plane of `rows` rows with `columns` elements; row_stride[i] is the distance between
/// rows of operand i.
template <class T>
using PlaneKernel = void (*)(void const* f, T* const* data, Index const* row_stride, Index rows,
                             Index columns);

DIFFSIAM_MAY_STAY_SCALAR_BEGIN
/// Applies f to `block` neighbours. Inner strides and the number of elements are constants, so that the loop
/// is vectorised, even at -O2. Operands of one call are the same element or do not overlap, so iterations are
/// independent.
template <Index block, int... Inner, class F, class... T>
DIFFSIAM_ALWAYS_INLINE void apply_block(F const& f, T*... p) {
  DIFFSIAM_INDEPENDENT_ITERATIONS
  for (Index j = 0; j < block; ++j) f(p[j * Inner]...);
}

template <class T, class F, int... Inner, std::size_t... I>
DIFFSIAM_ALWAYS_INLINE void apply_rows(F const f, T* const* from, Index const* row_stride, Index rows,
                                       Index columns, std::index_sequence<I...>) {
  constexpr Index block = 16;
  T* data[] = {from[I]...};
  for (Index row = 0; row < rows; ++row) {
    Index i = 0;
    for (; i + block <= columns; i += block) apply_block<block, Inner...>(f, (data[I] + i * Inner)...);
    for (; i < columns; ++i) f(data[I][i * Inner]...);
    ((data[I] += row_stride[I]), ...);
  }
}

/// The PlaneKernel of functor F.
template <class T, class F, int... Inner>
void apply_plane(void const* f, T* const* data, Index const* row_stride, Index rows, Index columns) {
  apply_rows<T, F, Inner...>(*static_cast<F const*>(f), data, row_stride, rows, columns,
                             std::make_index_sequence<sizeof...(Inner)>{});
}
DIFFSIAM_MAY_STAY_SCALAR_END

/// Visits the grid. This code does not depend on the functor, so it is compiled once.
template <class T>
[[gnu::noinline]] void for_each_plane(HostContext& context, Grid grid,
                                      std::initializer_list<OperandRef<T>> refs, PlaneKernel<T> kernel,
                                      void const* f) {
  if (grid.size() == 0) return;
  Walkers<T> operands{refs};
  merge_extents(grid, operands);
  walk_in_pieces<T>(
      context, grid, operands, [&](T* const* data, Index const* row_stride, Index rows, Index columns) {
        join_rows<T>(data, row_stride, operands, rows, columns, joined_columns,
                     [&](T* const* d, Index const* s, Index r, Index c) { kernel(f, d, s, r, c); });
      });
}

template <class T, class F, class... O>
void for_each(HostContext& context, Grid const& grid, F const& f, O const&... operands) {
  static_assert(sizeof...(O) <= most_operands, "An element-wise operation has at most twelve operands.");
  for_each_plane<T>(context, grid, {forget<T>(operands)...}, &apply_plane<T, F, O::inner...>, &f);
}

}  // namespace diffsiam::backend::cpu
