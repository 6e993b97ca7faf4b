// Summands: what a sum over a grid adds, and where its sums go, as plain data that a launch can carry.
#pragma once

#include <cstddef>
#include <utility>

#include <diffsiam/backend/cuda/kernels/access.hpp>
#include <diffsiam/backend/cuda/kernels/pack.hpp>
#include <diffsiam/backend/cuda/kernels/places.hpp>
#include <diffsiam/functional/arithmetic.hpp>

namespace diffsiam::backend::cuda {

/// The kept and the summed extents of a sum, and f at one place of both. Values have type X in memory.
template <class T, class X, class F, int... Inner>
struct Summands {
  static constexpr std::size_t count = sizeof...(Inner);
  F f;
  Places<X, count> places;
  Index kept[4], summed[4];
  Index columns;        ///< the last extent of the grid, kept or summed
  Index length;         ///< number of terms of one output
  Index chunk, chunks;  ///< number of terms in a chunk; number of chunks

  /// Terms [from, stop) of one output.
  struct Span {
    Index from, stop;
  };
  DIFFSIAM_KERNEL Span chunk_at(Index number) const {
    Index const from = number * chunk, stop = from + chunk;
    return {from, stop < length ? stop : length};
  }
  /// Offsets of kept row `row`.
  struct Row {
    Index offset[count];
  };
  DIFFSIAM_KERNEL Row row(Index row) const {
    Row result{};
    places.advance(kept, row, result.offset);
    return result;
  }

  /// The operands at neighbouring columns, as they are in memory.
  template <int Width>
  struct Values {
    Pack<X, Width> of[count];
  };
  /// Those at summed row `index`, from `column` on.
  template <int Width>
  DIFFSIAM_KERNEL Values<Width> load(Row row, Index index, Index column) const {
    places.advance(summed, index, row.offset);
    return load<Width>(row, column, std::make_index_sequence<count>{});
  }
  /// f at the j-th of them.
  template <int Width>
  DIFFSIAM_KERNEL T term(Values<Width> const& values, int j) const {
    return term(values, j, std::make_index_sequence<count>{});
  }

 private:
  template <int Width, std::size_t... I>
  DIFFSIAM_KERNEL Values<Width> load(Row const& row, Index column, std::index_sequence<I...>) const {
    return {{load_pack_along<Width, Inner>(places.data[I] + row.offset[I] + column * Inner)...}};
  }
  template <int Width, std::size_t... I>
  DIFFSIAM_KERNEL T term(Values<Width> const& values, int j, std::index_sequence<I...>) const {
    return f(static_cast<T const&>(read<T>(values.of[I].value, j))...);
  }
};

/// Where sums go: they are added to the output, or each chunk's goes to memory where they are added later.
template <class T>
struct SumTarget {
  Places<T, 1> out;
  Index kept[4];
  Index columns;  ///< of the output
  Index chunks;
  T* partial;  ///< (rows, chunks, columns), or null if there is one chunk

  DIFFSIAM_KERNEL void operator()(Index row, Index chunk, Index column, T sum) const {
    if (partial != nullptr) {
      partial[(row * chunks + chunk) * columns + column] = sum;
    } else {
      Index offset[1] = {column};
      out.advance(kept, row, offset);
      out.data[0][offset[0]] += sum;
    }
  }
  /// The same as a `Put` of ColumnSums.
  DIFFSIAM_KERNEL void operator()(Index row, Index chunk, Index, Index column, T sum) const {
    (*this)(row, chunk, column, sum);
  }
};

/// The chunks that a target keeps, as summands of one chunk: for each row and column of the output.
template <class T>
[[nodiscard]] Summands<T, T, functional::Itself, 1> kept_chunks(SumTarget<T> const& target, Index rows) {
  Index const row = target.chunks * target.columns;
  if (target.columns == 1)
    return {{}, {{target.partial}, {{0, 0, 0, row}}}, {1, 1, 1, rows}, {1, 1, 1, 1}, row, row, row, 1};
  return {{},
          {{target.partial}, {{0, 0, target.columns, row}}},
          {1, 1, 1, rows},
          {1, 1, target.chunks, 1},
          target.columns,
          target.chunks,
          target.chunks,
          1};
}

}  // namespace diffsiam::backend::cuda
