// Tile: the inner loop of all products and convolutions of the Cpu backend. A tile of C is kept in registers
// while rows of A and a panel of B are read:
//   C[r, j] (+)= start[j]
//       + sum over runs and k of a[r][run run_pitch + k a_step] b[(run length + k) b_pitch + j].
// Vectors are those of the compiler, so the flags of the user choose the instruction set.
#pragma once

#include <array>
#include <cstddef>

#include <diffsiam/config.hpp>
#include <diffsiam/core/shape.hpp>

namespace diffsiam::backend::cpu {

// NOLINTBEGIN(modernize-use-using): the attributes stand where a typedef has them.
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
// NOLINTEND(modernize-use-using)

/// Elements of a vector.
template <class T>
inline constexpr Index lanes = DIFFSIAM_VECTOR_BYTES / static_cast<Index>(sizeof(T));
/// Rows of a tile. With two vectors each they fill the registers, except for those needed for other values.
inline constexpr Index tile_rows = DIFFSIAM_VECTOR_BYTES == 64 ? 8 : 6;
/// Columns of the widest panel.
template <class T>
inline constexpr Index panel_columns = 2 * lanes<T>;

/// Columns of the panel that begins at `column` of n, padding included: one vector or two.
template <class T>
[[nodiscard]] constexpr Index panel_width(Index n, Index column) {
  return n - column <= lanes<T> ? lanes<T> : panel_columns<T>;
}
/// n with its last panel padded to whole vectors.
template <class T>
[[nodiscard]] constexpr Index padded_columns(Index n) {
  return (n + lanes<T> - 1) / lanes<T> * lanes<T>;
}

/// The terms of the formula above. Every row of `a` must be readable, even rows beyond `rows`; `b` and
/// `start` are padded to whole vectors. E is the type of the operands.
template <class T, class E = T>
struct Tile {
  std::array<E const*, tile_rows> a{};
  Index a_step = 1, run_pitch = 0;
  Index runs = 1, length = 0;
  E const* b = nullptr;
  Index b_pitch = 0;
  T const* start = nullptr;  ///< null means zero
  T* c = nullptr;
  Index c_pitch = 0;
  Index rows = tile_rows, columns = 0;  ///< the part of the tile that is stored
  bool accumulate = false;
};

/// How operands of type E are multiplied and summed in type T: `group` neighbours along k at a time. They are
/// neighbours in a and, for each column, in b. `length` then counts groups; `a_step` and `b_pitch` count
/// elements.
template <class T, class E>
struct Summand;

template <class T>
struct Summand<T, T> {
  using V = typename Vector<T>::Type;
  using Columns = V;
  static constexpr Index group = 1;
  DIFFSIAM_ALWAYS_INLINE static Columns load(T const* b) { return *reinterpret_cast<V const*>(b); }
  DIFFSIAM_ALWAYS_INLINE static T factor(T const* a) { return *a; }
  DIFFSIAM_ALWAYS_INLINE static void add(V& sum, T factor, Columns const& columns) {
    sum += factor * columns;
  }

  DIFFSIAM_ALWAYS_INLINE static V read(T const* from) { return *reinterpret_cast<V const*>(from); }
  /// Writes a vector whose elements are neighbours along k in one row of a.
  DIFFSIAM_ALWAYS_INLINE static void store(T* to, V const& value) { *reinterpret_cast<V*>(to) = value; }
  /// Writes the columns of one group of k.
  DIFFSIAM_ALWAYS_INLINE static void store_group(T* to, V const (&values)[1]) { store(to, values[0]); }
};

/// Writes sums[row][vector] to c, or adds them to it.
template <class T, int Vectors>
DIFFSIAM_ALWAYS_INLINE void store_tile(
    typename Vector<T>::Type const (&sums)[static_cast<int>(tile_rows)][Vectors], T* c, Index c_pitch,
    Index used_rows, Index columns, bool accumulate) {
  using V = typename Vector<T>::Type;
  constexpr int rows = static_cast<int>(tile_rows);
  constexpr Index width = Vectors * lanes<T>;
  if (columns == width) {
    DIFFSIAM_UNROLL
    for (int r = 0; r < rows; ++r, c += c_pitch) {
      if (r >= used_rows) break;
      DIFFSIAM_UNROLL
      for (int v = 0; v < Vectors; ++v) {
        V& to = *reinterpret_cast<V*>(c + v * lanes<T>);
        to = accumulate ? to + sums[r][v] : sums[r][v];
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
  for (Index r = 0; r < used_rows; ++r, c += c_pitch)
    for (Index j = 0; j < columns; ++j) {
      T const sum = kept[static_cast<std::size_t>(r * width + j)];
      c[j] = accumulate ? c[j] + sum : sum;
    }
}

template <class T, class E, int Vectors>
[[gnu::noinline]] void multiply_tile(Tile<T, E> const& tile) {
  using V = typename Vector<T>::Type;
  using Sum = Summand<T, E>;
  constexpr int rows = static_cast<int>(tile_rows);
  constexpr Index vector = lanes<T> * Sum::group;

  V sums[rows][Vectors];
  E const* a[rows];
  DIFFSIAM_UNROLL
  for (int r = 0; r < rows; ++r) {
    a[r] = tile.a[static_cast<std::size_t>(r)];
    DIFFSIAM_UNROLL
    for (int v = 0; v < Vectors; ++v)
      sums[r][v] = tile.start ? *reinterpret_cast<V const*>(tile.start + v * lanes<T>) : V{};
  }
  E const* b = tile.b;
  Index const a_step = tile.a_step, b_pitch = tile.b_pitch;
  for (Index run = 0; run < tile.runs; ++run) {
    Index at = run * tile.run_pitch;
    for (Index k = 0; k < tile.length; ++k, at += a_step, b += b_pitch) {
      typename Sum::Columns columns[Vectors];
      DIFFSIAM_UNROLL
      for (int v = 0; v < Vectors; ++v) columns[v] = Sum::load(b + v * vector);
      DIFFSIAM_UNROLL
      for (int r = 0; r < rows; ++r) {
        auto const factor = Sum::factor(a[r] + at);
        DIFFSIAM_UNROLL
        for (int v = 0; v < Vectors; ++v) Sum::add(sums[r][v], factor, columns[v]);
      }
    }
  }
  store_tile<T, Vectors>(sums, tile.c, tile.c_pitch, tile.rows, tile.columns, tile.accumulate);
}

/// Computes a tile, for a panel of one vector or of two.
template <class T, class E>
void multiply(Tile<T, E> const& tile) {
  if (tile.columns <= lanes<T>)
    multiply_tile<T, E, 1>(tile);
  else
    multiply_tile<T, E, 2>(tile);
}

}  // namespace diffsiam::backend::cpu
