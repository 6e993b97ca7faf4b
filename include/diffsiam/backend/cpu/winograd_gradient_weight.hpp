// The gradient of the weights of a 3x3 convolution by Winograd's algorithm, F(3x3, 4x4). For each of 36
// positions transformed gradients and transformed images are multiplied and summed over tiles. The sums are
// then transformed back.
#pragma once

#include <cstddef>

#include <diffsiam/backend/cpu/winograd_tiles.hpp>
#include <diffsiam/backend/host/context.hpp>

namespace diffsiam::backend::cpu::winograd {

/// dw[o, :, :, i ...] += the gradients of one vector of kernels. load(position) returns those of the
/// transform.
template <class T, class Load>
DIFFSIAM_ALWAYS_INLINE void add_kernels(ConvGeometry const& g, Index o, Index i, T* dw, Load const& load) {
  using V = Lanes<T>;
  transform<T, KernelGradientTransform>(
      [&](int row, int column) { return load(static_cast<Index>(row * points + column)); },
      [&](int row, int column, V const& value) {
        *reinterpret_cast<V*>(dw + ((o * 3 + row) * 3 + column) * g.in + i) += value;
      });
}

/// Channels [first, first + count) of one position of a transform (tiles / group, channels, group).
template <class E>
struct ChannelsOfTiles {
  E const* data;
  Index channels, first, count;
};

/// sums (out, in) (+)= m (tiles, out)^T v (tiles, in) for one position. Rows of sums are `pitch` apart.
template <class T, class E>
void multiply_over_tiles(Index tiles, ChannelsOfTiles<E> const& m, ChannelsOfTiles<E> const& v, T* sums,
                         Index pitch, bool accumulate) {
  constexpr Index group = Summand<T, E>::group;
  Tile<T, E> tile;
  tile.a_step = m.channels * group;
  tile.length = (tiles + group - 1) / group;
  tile.b_pitch = v.channels * group;
  tile.c_pitch = pitch;
  tile.accumulate = accumulate;
  for (Index column = 0; column < v.count; column += panel_columns<T>) {
    tile.b = v.data + (v.first + column) * group;
    tile.columns = std::min(panel_columns<T>, v.count - column);
    for (Index row = 0; row < m.count; row += tile_rows) {
      tile.rows = std::min(tile_rows, m.count - row);
      for (Index r = 0; r < tile_rows; ++r)
        tile.a[static_cast<std::size_t>(r)] = m.data + (m.first + row + std::min(r, tile.rows - 1)) * group;
      tile.c = sums + row * pitch + column;
      multiply(tile);
    }
  }
}

// For few channels: the sums of all kernels stay in the L2 cache while blocks of tiles are added. The blocks
// are divided into a fixed number of parts, and the sums of the parts are added in order.

[[nodiscard]] inline Index gradient_parts(TileCut const& cut) {
  constexpr Index most = Index{1} << 21;
  return std::clamp<Index>(most / (positions * cut.g.in * cut.g.out), std::min<Index>(2, cut.blocks),
                           std::min<Index>(16, cut.blocks));
}

template <class E, class T, class X, class D>
void gradient_by_tiles(HostContext& context, TileCut const& cut, std::byte* memory, X const* x, D const* dy,
                       T* dw) {
  using V = Lanes<T>;
  ConvGeometry const& g = cut.g;
  Index const parts = gradient_parts(cut), part = positions * g.in * g.out;
  T* const sums = reinterpret_cast<T*>(memory);
  E* const blocks = reinterpret_cast<E*>(sums + parts * part);
  context.threads().run(parts, [&](Index n, int worker) {
    T* const own = sums + n * part;
    E* const v = blocks + worker * cut.elements(g.in + g.out);
    E* const m = v + cut.elements(g.in);
    std::fill_n(own, part, T(0));
    for (Index block = n * cut.blocks / parts; block < (n + 1) * cut.blocks / parts; ++block) {
      TileRange const range = cut.range_of(block);
      transform_tiles_by_groups<T, ImageTransform>(cut, range, x, g.in, v, cut.block_tiles * g.in);
      transform_tiles_by_groups<T, OutputGradientTransform>(cut, range, dy, g.out, m,
                                                            cut.block_tiles * g.out);
      for (Index p = 0; p < positions; ++p)
        multiply_over_tiles<T, E>(range.count, {m + p * cut.block_tiles * g.out, g.out, 0, g.out},
                                  {v + p * cut.block_tiles * g.in, g.in, 0, g.in}, own + p * g.out * g.in,
                                  g.in, true);
    }
  });
  Index const rows = std::max<Index>(1, (Index{1} << 12) / g.in);
  context.threads().run((g.out + rows - 1) / rows, [&](Index piece, int) {
    for (Index o = piece * rows; o < std::min((piece + 1) * rows, g.out); ++o)
      for (Index i = 0; i < g.in; i += lanes<T>)
        add_kernels(g, o, i, dw, [&](Index p) {
          T const* from = sums + (p * g.out + o) * g.in + i;
          V sum = *reinterpret_cast<V const*>(from);
          for (Index n = 1; n < parts; ++n) sum += *reinterpret_cast<V const*>(from + n * part);
          return sum;
        });
  });
}

// For many channels: the sums of all blocks would take too much memory. So all tiles are transformed first.
// Then the sums of one block of kernels at a time are computed over all tiles, and they stay in the L2 cache.

inline constexpr Index kernel_rows = 4 * tile_rows;
template <class T>
inline constexpr Index kernel_columns = 2 * panel_columns<T>;
/// Elements of the sums of one block of kernels.
template <class T>
inline constexpr Index kernel_sums = positions * kernel_rows * kernel_columns<T>;

/// Which of the two ways is used: by kernels if the transforms of all tiles take at most a few times the
/// memory of the sums.
[[nodiscard]] inline bool sums_by_kernels(TileCut const& cut) {
  constexpr Index few = 8;
  return cut.tiles * (cut.g.in + cut.g.out) <= few * cut.g.in * cut.g.out;
}
/// Number of tiles of the batch, rounded up to whole groups.
template <class T, class E>
[[nodiscard]] Index whole_groups(TileCut const& cut) {
  constexpr Index group = Summand<T, E>::group;
  return (cut.tiles + group - 1) / group * group;
}

template <class E, class T, class X, class D>
void gradient_by_kernels(HostContext& context, TileCut const& cut, std::byte* memory, X const* x, D const* dy,
                         T* dw) {
  using V = Lanes<T>;
  ConvGeometry const& g = cut.g;
  Index const tiles = whole_groups<T, E>(cut);
  T* const sums = reinterpret_cast<T*>(memory);
  E* const v = reinterpret_cast<E*>(sums + context.threads().threads() * kernel_sums<T>);
  E* const m = v + positions * tiles * g.in;
  constexpr Index at_a_time = 8;  // tiles, in whole groups
  context.threads().run((cut.tiles + at_a_time - 1) / at_a_time, [&](Index piece, int) {
    TileRange const range{piece * at_a_time, std::min(at_a_time, cut.tiles - piece * at_a_time)};
    transform_tiles_by_groups<T, ImageTransform>(cut, range, x, g.in, v + range.first * g.in, tiles * g.in);
    transform_tiles_by_groups<T, OutputGradientTransform>(cut, range, dy, g.out, m + range.first * g.out,
                                                          tiles * g.out);
  });
  Index const down = (g.out + kernel_rows - 1) / kernel_rows;
  Index const across = (g.in + kernel_columns<T> - 1) / kernel_columns<T>;
  context.threads().run(down * across, [&](Index piece, int worker) {
    Index const first_o = piece % down * kernel_rows, first_i = piece / down * kernel_columns<T>;
    T* const own = sums + worker * kernel_sums<T>;
    Index const rows = std::min(kernel_rows, g.out - first_o);
    Index const columns = std::min(kernel_columns<T>, g.in - first_i);
    for (Index p = 0; p < positions; ++p)
      multiply_over_tiles<T, E>(tiles, {m + p * tiles * g.out, g.out, first_o, rows},
                                {v + p * tiles * g.in, g.in, first_i, columns},
                                own + p * kernel_rows * kernel_columns<T>, kernel_columns<T>, false);
    for (Index o = first_o; o < first_o + rows; ++o)
      for (Index i = first_i; i < first_i + columns; i += lanes<T>)
        add_kernels(g, o, i, dw, [&](Index p) {
          return *reinterpret_cast<V const*>(own + (p * kernel_rows + o - first_o) * kernel_columns<T> + i -
                                             first_i);
        });
  });
}

/// Bytes of workspace of conv2d_gradient_weight. E is the type of operands.
template <class T, class E>
[[nodiscard]] std::size_t conv2d_gradient_weight_workspace(ConvGeometry const& g, int threads) {
  TileCut const cut{g};
  if (sums_by_kernels(cut))
    return static_cast<std::size_t>(threads * kernel_sums<T>) * sizeof(T) +
           static_cast<std::size_t>(positions * whole_groups<T, E>(cut) * (g.in + g.out)) * sizeof(E);
  return static_cast<std::size_t>(gradient_parts(cut) * positions * g.in * g.out) * sizeof(T) +
         static_cast<std::size_t>(threads * cut.elements(g.in + g.out)) * sizeof(E);
}

/// Adds the gradient of the weights to dw.
template <class E, class T, class X, class D>
void conv2d_gradient_weight(HostContext& context, ConvGeometry const& g, X const* x, D const* dy, T* dw) {
  auto const memory =
      context.allocate(conv2d_gradient_weight_workspace<T, E>(g, context.threads().threads()));
  TileCut const cut{g};
  auto const way = sums_by_kernels(cut) ? &gradient_by_kernels<E, T, X, D> : &gradient_by_tiles<E, T, X, D>;
  way(context, cut, static_cast<std::byte*>(memory.get()), x, dy, dw);
}

}  // namespace diffsiam::backend::cpu::winograd
