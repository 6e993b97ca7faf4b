// The one inner loop behind products and convolutions of the Cpu backend: a tile of C kept in registers while
// rows of A and a panel of B stream past,
//   C[r, j] (+)= start[j] + sum over runs and k of a[r][run run_pitch + k a_step] b[(run length + k) b_pitch
//   + j].
// Vectors of the compiler's own extension: the instruction set is that of the user's flags.
#pragma once

#include <array>
#include <cstddef>

#include <diffsiam/config.hpp>
#include <diffsiam/core/shape.hpp>

namespace diffsiam::backend::cpu {

template <class T>
struct Vector;
template <>
struct Vector<float> {
  typedef float Type __attribute__((vector_size(DIFFSIAM_VECTOR_BYTES), aligned(4), may_alias));
};
template <>
struct Vector<double> {
  typedef double Type __attribute__((vector_size(DIFFSIAM_VECTOR_BYTES), aligned(8), may_alias));
};

/// Elements of a vector.
template <class T>
inline constexpr Index lanes = DIFFSIAM_VECTOR_BYTES / static_cast<Index>(sizeof(T));
/// Rows of a tile: with two vectors each they fill the registers, but for what else is needed.
inline constexpr Index tile_rows = DIFFSIAM_VECTOR_BYTES == 64 ? 8 : 6;
/// Columns of the widest panel.
template <class T>
inline constexpr Index panel_columns = 2 * lanes<T>;

/// Columns of the panel that begins at `column` of n, padding included: one vector or two.
template <class T>
[[nodiscard]] constexpr Index panel_width(Index n, Index column) {
  return n - column <= lanes<T> ? lanes<T> : panel_columns<T>;
}
/// n with its last panel padded.
template <class T>
[[nodiscard]] constexpr Index padded_columns(Index n) {
  return (n + lanes<T> - 1) / lanes<T> * lanes<T>;
}

/// See the formula above. Every row of `a` must be readable, also those beyond `rows`; `b` and `start` are
/// padded to whole vectors.
template <class T>
struct Tile {
  std::array<T const*, tile_rows> a{};
  Index a_step = 1, run_pitch = 0;
  Index runs = 1, length = 0;
  T const* b = nullptr;
  Index b_pitch = 0;
  T const* start = nullptr;  ///< null: zero
  T* c = nullptr;
  Index c_pitch = 0;
  Index rows = tile_rows, columns = 0;  ///< what of the tile is stored
  bool accumulate = false;
};

template <class T, int Vectors>
[[gnu::noinline]] void multiply_tile(Tile<T> const& tile) {
  using V = typename Vector<T>::Type;
  constexpr int rows = static_cast<int>(tile_rows);
  constexpr Index width = Vectors * lanes<T>;
  auto const load = [](T const* from) { return *reinterpret_cast<V const*>(from); };

  V sums[rows][Vectors];
  T const* a[rows];
  DIFFSIAM_UNROLL
  for (int r = 0; r < rows; ++r) {
    a[r] = tile.a[static_cast<std::size_t>(r)];
    DIFFSIAM_UNROLL
    for (int v = 0; v < Vectors; ++v) sums[r][v] = tile.start ? load(tile.start + v * lanes<T>) : V{};
  }
  T const* b = tile.b;
  Index const a_step = tile.a_step, b_pitch = tile.b_pitch;
  for (Index run = 0; run < tile.runs; ++run) {
    Index at = run * tile.run_pitch;
    for (Index k = 0; k < tile.length; ++k, at += a_step, b += b_pitch) {
      V columns[Vectors];
      DIFFSIAM_UNROLL
      for (int v = 0; v < Vectors; ++v) columns[v] = load(b + v * lanes<T>);
      DIFFSIAM_UNROLL
      for (int r = 0; r < rows; ++r) {
        T const factor = a[r][at];
        DIFFSIAM_UNROLL
        for (int v = 0; v < Vectors; ++v) sums[r][v] += factor * columns[v];
      }
    }
  }

  T* c = tile.c;
  if (tile.columns == width) {
    DIFFSIAM_UNROLL
    for (int r = 0; r < rows; ++r, c += tile.c_pitch) {
      if (r >= tile.rows) break;
      DIFFSIAM_UNROLL
      for (int v = 0; v < Vectors; ++v) {
        V& to = *reinterpret_cast<V*>(c + v * lanes<T>);
        to = tile.accumulate ? to + sums[r][v] : sums[r][v];
      }
    }
    return;
  }
  alignas(64) std::array<T, static_cast<std::size_t>(rows * width)> kept;
  DIFFSIAM_UNROLL
  for (int r = 0; r < rows; ++r) {
    DIFFSIAM_UNROLL
    for (int v = 0; v < Vectors; ++v)
      *reinterpret_cast<V*>(kept.data() + r * width + v * lanes<T>) = sums[r][v];
  }
  for (Index r = 0; r < tile.rows; ++r, c += tile.c_pitch)
    for (Index j = 0; j < tile.columns; ++j) {
      T const sum = kept[static_cast<std::size_t>(r * width + j)];
      c[j] = tile.accumulate ? c[j] + sum : sum;
    }
}

/// By the width of the panel.
template <class T>
void multiply(Tile<T> const& tile) {
  if (tile.columns <= lanes<T>)
    multiply_tile<T, 1>(tile);
  else
    multiply_tile<T, 2>(tile);
}

}  // namespace diffsiam::backend::cpu
