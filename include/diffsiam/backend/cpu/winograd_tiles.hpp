// How a 3x3 convolution is cut for Winograd's algorithm: the output into tiles of 4x4, the tiles of the batch
// into blocks whose transforms stay in a core's second cache. A block's transform is (36, tiles, channels):
// 36 products of small matrices.
#pragma once

#include <algorithm>
#include <type_traits>

#include <diffsiam/backend/cpu/winograd.hpp>
#include <diffsiam/core/products.hpp>

namespace diffsiam::backend::cpu::winograd {

/// Whether the algorithm serves: in float32, 3x3 at stride 1, whole vectors of channels, and enough tiles to
/// pay for the transform of the weights.
template <class T>
[[nodiscard]] bool serves(ConvGeometry const& g) {
  constexpr Index enough_tiles = 24;
  return std::is_same_v<T, float> && g.kernel == 3 && g.stride == 1 && g.in % lanes<T> == 0 &&
         g.out % lanes<T> == 0 && g.n * ((g.h + 3) / outputs) * ((g.w + 3) / outputs) >= enough_tiles;
}

/// One tile: its image, and its first output row and column.
struct TilePlace {
  Index image, row, column;
};

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

  [[nodiscard]] Index tiles_of(Index block) const {
    return std::min(block_tiles, tiles - block * block_tiles);
  }
  [[nodiscard]] TilePlace place(Index tile) const {
    Index const in_image = tile % (across * down);
    return {tile / (across * down), in_image / across * outputs, in_image % across * outputs};
  }
  /// Elements of a block's transform with `channels`.
  [[nodiscard]] Index elements(Index channels) const { return positions * block_tiles * channels; }
};

/// Transforms the tiles of a block of `x` (n, h, w, channels) into v (36, block_tiles, channels): 6x6 pixels
/// around each tile for ImageTransform, the 4x4 of the tile itself for OutputGradientTransform. Pixels
/// outside the image are zero.
template <class T, class Transform>
void transform_block(TileCut const& cut, Index block, T const* x, Index channels, T* v) {
  using V = typename Vector<T>::Type;
  constexpr Index border = (Transform::from - outputs) / 2;
  Index const pitch = cut.block_tiles * channels;
  for (Index tile = 0; tile < cut.tiles_of(block); ++tile) {
    TilePlace const at = cut.place(block * cut.block_tiles + tile);
    Index const h = at.row - border, w = at.column - border;
    T const* const image = x + ((at.image * cut.g.h + h) * cut.g.w + w) * channels;
    T* const to = v + tile * channels;
    bool const inside = h >= 0 && w >= 0 && h + Transform::from <= cut.g.h && w + Transform::from <= cut.g.w;
    for (Index c = 0; c < channels; c += lanes<T>) {
      auto const pixel = [&](int row, int column) -> V const& {
        return *reinterpret_cast<V const*>(image + (row * cut.g.w + column) * channels + c);
      };
      auto const store = [&](int row, int column, V const& value) {
        *reinterpret_cast<V*>(to + (row * points + column) * pitch + c) = value;
      };
      if (inside) {
        transform<T, Transform>([&](int row, int column) { return pixel(row, column); }, store);
      } else {
        transform<T, Transform>(
            [&](int row, int column) {
              bool const seen = h + row >= 0 && h + row < cut.g.h && w + column >= 0 && w + column < cut.g.w;
              return seen ? pixel(row, column) : V{};
            },
            store);
      }
    }
  }
}

}  // namespace diffsiam::backend::cpu::winograd
