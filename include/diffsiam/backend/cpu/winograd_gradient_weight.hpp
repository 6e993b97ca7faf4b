// The gradient of a 3x3 convolution's weights by Winograd's algorithm, F(3x3, 4x4): for each of 36 positions
// the product of transformed gradients and transformed images, summed over tiles.
#pragma once

#include <diffsiam/backend/cpu/winograd_tiles.hpp>
#include <diffsiam/backend/host/context.hpp>

namespace diffsiam::backend::cpu::winograd {

/// Blocks are dealt to a fixed number of parts, whose sums are added in their order; fewer where there are
/// many channels, so that memory stays small.
[[nodiscard]] inline Index gradient_parts(TileCut const& cut) {
  constexpr Index most = Index{1} << 21;
  return std::clamp<Index>(most / (positions * cut.g.in * cut.g.out), std::min<Index>(2, cut.blocks),
                           std::min<Index>(16, cut.blocks));
}

/// E is the type of operands.
template <class T, class E>
[[nodiscard]] std::size_t conv2d_gradient_weight_workspace(ConvGeometry const& g, int threads) {
  TileCut const cut{g};
  return static_cast<std::size_t>(gradient_parts(cut) * positions * g.in * g.out) * sizeof(T) +
         static_cast<std::size_t>(threads * cut.elements(g.in + g.out)) * sizeof(E);
}

/// For each position: sums (out, in) += m (tiles, out)^T v (tiles, in), both (tiles / group, channels,
/// group).
template <class T, class E>
void add_products(TileCut const& cut, Index count, E const* v, E const* m, T* sums) {
  constexpr Index group = Summand<T, E>::group;
  Index const in = cut.g.in, out = cut.g.out;
  Tile<T, E> tile;
  tile.a_step = out * group;
  tile.length = (count + group - 1) / group;
  tile.b_pitch = in * group;
  tile.c_pitch = in;
  tile.accumulate = true;
  for (Index p = 0; p < positions; ++p)
    for (Index column = 0; column < in; column += panel_columns<T>) {
      tile.b = v + p * cut.block_tiles * in + column * group;
      tile.columns = std::min(panel_columns<T>, in - column);
      for (Index row = 0; row < out; row += tile_rows) {
        tile.rows = std::min(tile_rows, out - row);
        for (Index r = 0; r < tile_rows; ++r)
          tile.a[static_cast<std::size_t>(r)] =
              m + p * cut.block_tiles * out + (row + std::min(r, tile.rows - 1)) * group;
        tile.c = sums + (p * out + row) * in + column;
        multiply(tile);
      }
    }
}

/// dw (out, 3, 3, in) += the parts, each (36, out, in), transformed back.
template <class T>
void add_kernel_gradient(HostContext& context, ConvGeometry const& g, Index parts, T* sums, T* dw) {
  using V = typename Vector<T>::Type;
  Index const position = g.out * g.in, part = positions * position;
  Index const rows = std::max<Index>(1, (Index{1} << 12) / g.in);
  context.threads().run((g.out + rows - 1) / rows, [&](Index piece, int) {
    for (Index o = piece * rows; o < std::min((piece + 1) * rows, g.out); ++o)
      for (Index i = 0; i < g.in; i += lanes<T>)
        transform<T, KernelGradientTransform>(
            [&](int row, int column) {
              T const* from = sums + (row * points + column) * position + o * g.in + i;
              V sum = *reinterpret_cast<V const*>(from);
              for (Index n = 1; n < parts; ++n) sum += *reinterpret_cast<V const*>(from + n * part);
              return sum;
            },
            [&](int row, int column, V const& value) {
              *reinterpret_cast<V*>(dw + ((o * 3 + row) * 3 + column) * g.in + i) += value;
            });
  });
}

/// Adds into dw.
template <class E, class T>
void conv2d_gradient_weight(HostContext& context, ConvGeometry const& g, T const* x, T const* dy, T* dw) {
  auto const memory =
      context.allocate(conv2d_gradient_weight_workspace<T, E>(g, context.threads().threads()));
  TileCut const cut{g};
  Index const parts = gradient_parts(cut), part = positions * g.in * g.out;
  T* const sums = static_cast<T*>(memory.get());
  E* const blocks = reinterpret_cast<E*>(sums + parts * part);
  context.threads().run(parts, [&](Index n, int worker) {
    T* const own = sums + n * part;
    E* const v = blocks + worker * cut.elements(g.in + g.out);
    E* const m = v + cut.elements(g.in);
    std::fill_n(own, part, T(0));
    for (Index block = n * cut.blocks / parts; block < (n + 1) * cut.blocks / parts; ++block) {
      transform_block_by_groups<T, ImageTransform>(cut, block, x, g.in, v);
      transform_block_by_groups<T, OutputGradientTransform>(cut, block, dy, g.out, m);
      add_products<T, E>(cut, cut.tiles_of(block), v, m, own);
    }
  });
  add_kernel_gradient(context, g, parts, sums, dw);
}

}  // namespace diffsiam::backend::cpu::winograd
