// Matrix products of the Cpu backend. They are divided by shape into blocks of rows times panels of columns.
#pragma once

#include <algorithm>

#include <diffsiam/backend/cpu/tile.hpp>
#include <diffsiam/backend/host/context.hpp>
#include <diffsiam/core/products.hpp>

namespace diffsiam::backend::cpu {

/// Rows of a block: enough to pay for packing a panel.
inline constexpr Index gemm_rows = 16 * tile_rows;
/// Depth of a panel. A packed panel takes 32 KiB of the stack.
template <class T>
inline constexpr Index gemm_depth = 32768 / (panel_columns<T> * static_cast<Index>(sizeof(T)));

/// Packs alpha times columns [0, columns) of rows [0, depth) of op(B). Rows are padded with zeros to `width`.
template <class T>
void pack_panel(MatrixView<T const> const& b, Index depth, Index columns, Index width, T alpha, T* panel) {
  if (!b.transposed) {
    for (Index k = 0; k < depth; ++k, panel += width) {
      T const* const row = b.data + k * b.leading;
      for (Index j = 0; j < columns; ++j) panel[j] = alpha * row[j];
      std::fill(panel + columns, panel + width, T(0));
    }
    return;
  }
  for (Index j = 0; j < width; ++j) {
    T const* const column = b.data + j * b.leading;
    for (Index k = 0; k < depth; ++k) panel[k * width + j] = j < columns ? alpha * column[k] : T(0);
  }
}

/// With at most so many rows, packing a panel costs more than it saves.
inline constexpr Index few_rows = 8;

/// C (m, n) (+)= alpha A B^T for m up to Rows. A and B are read along k without packing.
template <int Rows, class T>
void multiply_few_rows(Index m, Index n, Index k, MatrixView<T const> const& a, MatrixView<T const> const& b,
                       MatrixView<T> const& c, T alpha, bool accumulate) {
  using V = typename Vector<T>::Type;
  constexpr int columns = 4;
  for (Index j = 0; j < n; j += columns) {
    T const *left[Rows], *right[columns];
    V sums[Rows][columns] = {};
    T rest[Rows][columns] = {};
    DIFFSIAM_UNROLL
    for (int r = 0; r < Rows; ++r) left[r] = a.data + std::min<Index>(r, m - 1) * a.leading;
    DIFFSIAM_UNROLL
    for (int o = 0; o < columns; ++o) right[o] = b.data + std::min<Index>(j + o, n - 1) * b.leading;
    Index at = 0;
    for (; at + lanes<T> <= k; at += lanes<T>) {
      V factors[Rows];
      DIFFSIAM_UNROLL
      for (int r = 0; r < Rows; ++r) factors[r] = *reinterpret_cast<V const*>(left[r] + at);
      DIFFSIAM_UNROLL
      for (int o = 0; o < columns; ++o) {
        V const column = *reinterpret_cast<V const*>(right[o] + at);
        DIFFSIAM_UNROLL
        for (int r = 0; r < Rows; ++r) sums[r][o] += factors[r] * column;
      }
    }
    for (; at < k; ++at)
      for (int r = 0; r < Rows; ++r)
        for (int o = 0; o < columns; ++o) rest[r][o] += left[r][at] * right[o][at];
    for (int r = 0; r < std::min<Index>(Rows, m); ++r)
      for (int o = 0; o < std::min<Index>(columns, n - j); ++o) {
        T sum = rest[r][o];
        for (Index lane = 0; lane < lanes<T>; ++lane) sum += sums[r][o][lane];
        T& to = c.data[r * c.leading + j + o];
        to = alpha * sum + (accumulate ? to : T(0));
      }
  }
}

/// C (m, n) (+)= alpha op(A) op(B) for one panel of columns, on one thread.
template <class T>
void multiply_panel(Index m, Index n, Index k, MatrixView<T const> const& a, MatrixView<T const> b,
                    MatrixView<T> const& c, T alpha, bool accumulate) {
  if (m <= few_rows && b.transposed && !a.transposed) {
    constexpr int together = 4;
    auto const way = m == 1 ? &multiply_few_rows<1, T> : &multiply_few_rows<together, T>;
    for (Index row = 0; row < m; row += together)
      way(m - row, n, k, {a.data + row * a.leading, a.leading}, b, {c.data + row * c.leading, c.leading},
          alpha, accumulate);
    return;
  }
  alignas(64) std::array<T, static_cast<std::size_t>(gemm_depth<T> * panel_columns<T>)> panel;
  Index const width = panel_width<T>(n, 0);
  Index const row_step = a.transposed ? 1 : a.leading;
  Tile<T> tile;
  tile.a_step = a.transposed ? a.leading : 1;
  tile.b = panel.data();
  tile.b_pitch = width;
  tile.c_pitch = c.leading;
  tile.columns = n;
  Index from = 0;
  do {
    tile.length = std::min(gemm_depth<T>, k - from);
    tile.accumulate = accumulate || from > 0;
    pack_panel(b, tile.length, n, width, alpha, panel.data());
    for (Index row = 0; row < m; row += tile_rows) {
      tile.rows = std::min(tile_rows, m - row);
      for (Index r = 0; r < tile_rows; ++r)
        tile.a[static_cast<std::size_t>(r)] =
            a.data + from * tile.a_step + (row + std::min(r, tile.rows - 1)) * row_step;
      tile.c = c.data + row * c.leading;
      multiply(tile);
    }
    from += tile.length;
    b.data += tile.length * (b.transposed ? 1 : b.leading);
  } while (from < k);
}

/// Computes every product of the batch.
template <class T>
void gemm(HostContext& context, Gemm<T> const& g) {
  Index const rows = (g.m + gemm_rows - 1) / gemm_rows;
  Index const panels = (g.n + panel_columns<T> - 1) / panel_columns<T>;
  Index const blocks = g.batch_outer * g.batch_inner * rows * panels;
  // Several small products form one piece.
  Index const work = std::min(gemm_rows, g.m) * std::min(panel_columns<T>, g.n) * g.k + 1;
  Index const per_piece = std::clamp<Index>((Index{1} << 19) / work, 1, std::max<Index>(1, blocks));
  context.threads().run((blocks + per_piece - 1) / per_piece, [&](Index piece, int) {
    for (Index block = piece * per_piece; block < std::min((piece + 1) * per_piece, blocks); ++block) {
      Index const column = block % panels * panel_columns<T>;
      Index const row = block / panels % rows * gemm_rows;
      Index const member = block / panels / rows;
      auto const place = [&](auto matrix, Index down, Index right) {
        matrix.data += member / g.batch_inner * matrix.outer_stride +
                       member % g.batch_inner * matrix.inner_stride +
                       (matrix.transposed ? down + right * matrix.leading : down * matrix.leading + right);
        return matrix;
      };
      multiply_panel(std::min(gemm_rows, g.m - row), std::min(panel_columns<T>, g.n - column), g.k,
                     place(g.a, row, 0), place(g.b, 0, column), place(g.c, row, column), g.alpha,
                     g.accumulate);
    }
  });
}

}  // namespace diffsiam::backend::cpu
