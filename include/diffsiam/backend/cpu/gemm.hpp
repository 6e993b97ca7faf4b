// Matrix products of the Cpu backend: tiles cut by shape, one a piece, each Eigen's own product on one
// thread.
#pragma once

#include <algorithm>

#include <Eigen/Core>

#include <diffsiam/backend/host/context.hpp>
#include <diffsiam/core/products.hpp>

namespace diffsiam::backend::cpu {

/// Tile edge and depth. Within them Eigen packs its operands on the stack (EIGEN_STACK_ALLOCATION_LIMIT is
/// 128 KiB), so that a product allocates nothing.
template <class T>
inline constexpr Index gemm_tile = 512 / static_cast<Index>(sizeof(T));
inline constexpr Index gemm_depth = 240;

/// C (m, n) (+)= alpha op(A) op(B), serially. Any sizes.
template <class T>
void multiply_tile(Index m, Index n, Index k, MatrixView<T const> a, MatrixView<T const> b, MatrixView<T> c,
                   T alpha, bool accumulate) {
  using Matrix = Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
  using In = Eigen::Map<Matrix const, 0, Eigen::OuterStride<>>;
  using Out = Eigen::Map<Matrix, 0, Eigen::OuterStride<>>;
  Out out{c.data, m, n, Eigen::OuterStride<>{c.pitch}};
  if (!accumulate) out.setZero();
  for (Index from = 0; from < k; from += gemm_depth) {
    Index const depth = std::min(gemm_depth, k - from);
    Eigen::OuterStride<> const a_pitch{a.pitch}, b_pitch{b.pitch};
    if (!a.transposed && !b.transposed) {
      out.noalias() +=
          alpha * In{a.data + from, m, depth, a_pitch} * In{b.data + from * b.pitch, depth, n, b_pitch};
    } else if (!a.transposed) {
      out.noalias() +=
          alpha * In{a.data + from, m, depth, a_pitch} * In{b.data + from, n, depth, b_pitch}.transpose();
    } else if (!b.transposed) {
      out.noalias() += alpha * In{a.data + from * a.pitch, depth, m, a_pitch}.transpose() *
                       In{b.data + from * b.pitch, depth, n, b_pitch};
    } else {
      out.noalias() += alpha * In{a.data + from * a.pitch, depth, m, a_pitch}.transpose() *
                       In{b.data + from, n, depth, b_pitch}.transpose();
    }
  }
}

/// Every product of the batch, tile by tile.
template <class T>
void gemm(HostContext& context, Gemm<T> const& g) {
  constexpr Index tile = gemm_tile<T>;
  Index const rows = (g.m + tile - 1) / tile;
  Index const columns = (g.n + tile - 1) / tile;
  Index const tiles = rows * columns;
  // Small products of a batch share a piece.
  Index const batch = g.batch_outer * g.batch_inner;
  Index const work = std::max<Index>(1, g.m * g.n * g.k / std::max<Index>(1, tiles));
  Index const per_piece = std::clamp<Index>((Index{1} << 18) / work, 1, std::max<Index>(1, batch * tiles));
  Index const pieces = (batch * tiles + per_piece - 1) / per_piece;
  context.threads().run(pieces, [&](Index piece, int) {
    for (Index item = piece * per_piece; item < std::min((piece + 1) * per_piece, batch * tiles); ++item) {
      Index const member = item / tiles;
      Index const row = (item % tiles) / columns * tile;
      Index const column = item % columns * tile;
      auto const place = [&](auto matrix) {
        matrix.data +=
            member / g.batch_inner * matrix.outer_stride + member % g.batch_inner * matrix.inner_stride;
        return matrix;
      };
      auto a = place(g.a);
      auto b = place(g.b);
      auto c = place(g.c);
      a.data += a.transposed ? row : row * a.pitch;
      b.data += b.transposed ? column * b.pitch : column;
      c.data += row * c.pitch + column;
      multiply_tile(std::min(tile, g.m - row), std::min(tile, g.n - column), g.k, a, b, c, g.alpha,
                    g.accumulate);
    }
  });
}

}  // namespace diffsiam::backend::cpu
