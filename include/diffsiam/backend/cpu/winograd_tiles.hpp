// How a 3x3 convolution is divided for Winograd's algorithm: the output into tiles of 4x4, and the tiles of
// the batch into blocks whose transforms fit into the L2 cache. The transform of a block is (36, tiles,
// channels), so the convolution becomes 36 products of small matrices.
#pragma once

#include <algorithm>
#include <type_traits>

#include <diffsiam/backend/cpu/winograd.hpp>
#include <diffsiam/core/products.hpp>

namespace diffsiam::backend::cpu::winograd {

/// Whether the algorithm is used: in float32, for 3x3 kernels at stride 1, if channels fill whole vectors and
/// there are enough tiles to pay for the transform of the weights.
template <class T>
[[nodiscard]] bool serves(ConvGeometry const& g) {
  constexpr Index enough_tiles = 8;
  return std::is_same_v<T, float> && g.kernel == 3 && g.stride == 1 && g.in % lanes<T> == 0 &&
         g.out % lanes<T> == 0 && g.n * ((g.h + 3) / outputs) * ((g.w + 3) / outputs) >= enough_tiles;
}

/// A tile: its image, and its first output row and column.
struct TilePlace {
  Index image, row, column;
};

/// Tiles [first, first + count) of the batch.
struct TileRange {
  Index first, count;
};

/// How a convolution is divided into tiles, and the tiles into blocks.
struct TileCut {
  ConvGeometry g;
  Index across, down, tiles;
  Index block_tiles, blocks;

  explicit TileCut(ConvGeometry const& geometry)
      : g(geometry),
        across((g.w + outputs - 1) / outputs),
        down((g.h + outputs - 1) / outputs),
        tiles(g.n * across * down) {
    constexpr Index most = Index{1} << 17, wanted_blocks = 16;
    Index const fitting = most / (positions * (g.in + g.out));
    Index const spread = (tiles + wanted_blocks - 1) / wanted_blocks;
    block_tiles =
        std::clamp<Index>(std::min(fitting, spread) / tile_rows * tile_rows, 2 * tile_rows, 8 * tile_rows);
    blocks = (tiles + block_tiles - 1) / block_tiles;
  }

  [[nodiscard]] TileRange range_of(Index block) const {
    return {block * block_tiles, std::min(block_tiles, tiles - block * block_tiles)};
  }
  [[nodiscard]] TilePlace place(Index tile) const {
    Index const in_image = tile % (across * down);
    return {tile / (across * down), in_image / across * outputs, in_image % across * outputs};
  }
  /// Elements of the transform of a block with `channels`.
  [[nodiscard]] Index elements(Index channels) const { return positions * block_tiles * channels; }
};

/// The transform of a tile whose first pixel is at `first`.
template <class T, class Transform, class X, class Store>
DIFFSIAM_ALWAYS_INLINE void transform_pixels(X const* first, Index row_pitch, Index column_pitch,
                                             Store const& store) {
  transform<T, Transform>(
      [&](int row, int column) {
        return Summand<T, X>::read(first + row * row_pitch + column * column_pitch);
      },
      [&](int row, int column, Lanes<T> const& value) {
        store(static_cast<Index>(row * points + column), value);
      });
}

/// Calls store(position, vector) for the transform of one tile of `x` (n, h, w, channels) at channel c.
/// ImageTransform reads the 6x6 pixels around the tile, OutputGradientTransform its own 4x4. Pixels outside
/// the image are zero.
template <class T, class Transform, class X, class Store>
DIFFSIAM_ALWAYS_INLINE void transform_tile(ConvGeometry const& g, TilePlace const& at, X const* x,
                                           Index channels, Index c, Store const& store) {
  using V = Lanes<T>;
  constexpr Index side = Transform::from, border = (side - outputs) / 2;
  Index const h = at.row - border, w = at.column - border;
  auto const seen = [&](Index row, Index column) {
    return h + row >= 0 && h + row < g.h && w + column >= 0 && w + column < g.w;
  };
  auto const pixel = [&](Index row, Index column) {
    return x + ((at.image * g.h + h + row) * g.w + w + column) * channels + c;
  };
  // A tile at the border is copied with its zeros, so that only one transform is compiled.
  V copy[side][side];
  T const* first = reinterpret_cast<T const*>(copy);
  Index row_pitch = side * lanes<T>, column_pitch = lanes<T>;
  if (seen(0, 0) && seen(side - 1, side - 1)) {
    if constexpr (std::is_same_v<X, T>) {
      first = pixel(0, 0);
      row_pitch = g.w * channels;
      column_pitch = channels;
    } else {
      return transform_pixels<T, Transform>(pixel(0, 0), g.w * channels, channels, store);
    }
  } else {
    for (Index row = 0; row < side; ++row)
      for (Index column = 0; column < side; ++column)
        copy[row][column] = seen(row, column) ? Summand<T, X>::read(pixel(row, column)) : V{};
  }
  transform_pixels<T, Transform>(first, row_pitch, column_pitch, store);
}

/// v (36, tiles, channels) = the transforms of a range of tiles, with `pitch` elements from one position to
/// the next.
template <class T, class Transform, class X, class E>
void transform_tiles(TileCut const& cut, TileRange const& range, X const* x, Index channels, E* v,
                     Index pitch) {
  using V = Lanes<T>;
  for (Index tile = 0; tile < range.count; ++tile, v += channels) {
    TilePlace const at = cut.place(range.first + tile);
    for (Index c = 0; c < channels; c += lanes<T>)
      transform_tile<T, Transform>(cut.g, at, x, channels, c, [&](Index p, V const& value) {
        Summand<T, E>::store(v + p * pitch + c, value);
      });
  }
}

/// The same with tiles as the summed extent: v (36, tiles / group, channels, group). The last group is filled
/// up with zeros.
template <class T, class Transform, class X, class E>
void transform_tiles_by_groups(TileCut const& cut, TileRange const& range, X const* x, Index channels, E* v,
                               Index pitch) {
  using V = Lanes<T>;
  constexpr Index group = Summand<T, E>::group;
  if constexpr (group == 1) {
    transform_tiles<T, Transform>(cut, range, x, channels, v, pitch);
  } else {
    for (Index tile = 0; tile < range.count; tile += group, v += group * channels)
      for (Index c = 0; c < channels; c += lanes<T>) {
        V values[positions][group] = {};
        for (Index i = 0; i < std::min(group, range.count - tile); ++i)
          transform_tile<T, Transform>(cut.g, cut.place(range.first + tile + i), x, channels, c,
                                       [&](Index p, V const& value) { values[p][i] = value; });
        for (Index p = 0; p < positions; ++p)
          Summand<T, E>::store_group(v + p * pitch + c * group, values[p]);
      }
  }
}

}  // namespace diffsiam::backend::cpu::winograd
