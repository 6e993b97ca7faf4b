// Sums over a grid. The terms are divided into chunks by shape, never by the card, and the chunks are added
// in order. So all devices of one architecture always give the same bits.
#pragma once

#include <algorithm>
#include <cstddef>
#include <memory>
#include <utility>

#include <diffsiam/backend/cuda/kernels/access.hpp>
#include <diffsiam/backend/cuda/kernels/lane.hpp>
#include <diffsiam/backend/cuda/kernels/places.hpp>

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
  /// f at summed row `index` and column.
  DIFFSIAM_KERNEL T at(Row row, Index index, Index column) const {
    places.advance(summed, index, row.offset);
    return at(row, column, std::make_index_sequence<count>{});
  }

 private:
  template <std::size_t... I>
  DIFFSIAM_KERNEL T at(Row const& row, Index column, std::index_sequence<I...>) const {
    return f(static_cast<T const&>(read<T>(places.data[I], row.offset[I] + column * Inner))...);
  }
};

/// Where sums are written: they are added to the output, or each chunk goes to memory that AddChunks reads.
template <class T>
struct SumTarget {
  Places<T, 1> out;
  T* partial;  ///< (outputs, chunks), or null if there is one chunk

  template <class S>
  DIFFSIAM_KERNEL void add(S const& summands, Index row, Index column, Index columns, Index chunk,
                           T sum) const {
    if (partial != nullptr)
      partial[(row * columns + column) * summands.chunks + chunk] = sum;
    else
      add_to_output(summands.kept, row, column, sum);
  }
  DIFFSIAM_KERNEL void add_to_output(Index const (&kept)[4], Index row, Index column, T sum) const {
    Index offset[1] = {column};
    out.advance(kept, row, offset);
    out.data[0][offset[0]] += sum;
  }
};

/// Each thread computes one output; for short sums.
template <bool KeepsColumns, class T, class S>
struct SumOneByOne {
  struct Shared {};
  static constexpr bool synchronises = false;
  S summands;
  SumTarget<T> target;
  Index outputs;

  template <Lane L>
  DIFFSIAM_KERNEL void operator()(L& lane, Shared&) const {
    Index const output = lane.block() * block_threads + lane.thread();
    if (output >= outputs) return;
    Index const columns = KeepsColumns ? summands.columns : 1;
    Division const place = divide(output, columns);
    auto const row = summands.row(place.quotient);
    T sum = T(0);
    for (Index i = 0; i < summands.length; ++i) {
      Division const at = KeepsColumns ? Division{i, place.rest} : divide(i, summands.columns);
      sum += summands.at(row, at.quotient, at.rest);
    }
    target.add(summands, place.quotient, place.rest, columns, 0, sum);
  }
};

/// A team sums one chunk of a kept row, including its columns.
template <Team team, class T, class S>
struct SumRows {
  using Shared = TeamMemory<T>;
  static constexpr bool synchronises = true;
  S summands;
  SumTarget<T> target;
  Index rows;

  template <Lane L>
  DIFFSIAM_KERNEL void operator()(L& lane, Shared& memory) const {
    constexpr int threads = team_threads<team>;
    Index const item = lane.block() * (block_threads / threads) + lane.thread() / threads;
    Index const in_team = lane.thread() % threads;
    Division const place = divide(item, summands.chunks);
    // Teams beyond the last row sum nothing, but must take part in combine_team.
    bool const inside = place.quotient < rows;
    auto const span = summands.chunk_at(place.rest);
    Index const stop = inside ? span.stop : 0;
    auto const row = summands.row(inside ? place.quotient : 0);
    T sum = T(0);
    for (Index i = span.from + in_team; i < stop; i += threads) {
      Division const at = divide(i, summands.columns);
      sum += summands.at(row, at.quotient, at.rest);
    }
    sum = combine_team<team>(lane, memory, sum, [](T a, T b) { return a + b; });
    if (in_team == 0 && inside) target.add(summands, place.quotient, 0, 1, place.rest, sum);
  }
};

/// A block sums 32 columns of one chunk of a kept row: a warp reads neighbours, eight warps share the rows.
template <class T, class S>
struct SumColumns {
  static constexpr int warps = block_threads / warp_size;
  struct Shared {
    T of_warp[warps][warp_size];
  };
  static constexpr bool synchronises = true;
  S summands;
  SumTarget<T> target;
  Index column_blocks;

  template <Lane L>
  DIFFSIAM_KERNEL void operator()(L& lane, Shared& shared) const {
    Division const block = divide(lane.block(), column_blocks);
    Division const place = divide(block.quotient, summands.chunks);
    int const warp = lane.thread() / warp_size, in_warp = lane.thread() % warp_size;
    Index const column = block.rest * warp_size + in_warp;
    bool const inside = column < summands.columns;
    auto const span = summands.chunk_at(place.rest);
    auto const row = summands.row(place.quotient);
    T sum = T(0);
    if (inside)
      for (Index i = span.from + warp; i < span.stop; i += warps) sum += summands.at(row, i, column);
    shared.of_warp[warp][in_warp] = sum;
    lane.sync();
    if (warp != 0 || !inside) return;
    for (int other = 1; other < warps; ++other) sum += shared.of_warp[other][in_warp];
    target.add(summands, place.quotient, column, summands.columns, place.rest, sum);
  }
};

/// out += its chunks, in order.
template <class T>
struct AddChunks {
  struct Shared {};
  static constexpr bool synchronises = false;
  SumTarget<T> target;
  Index kept[4];
  Index outputs, columns, chunks;

  template <Lane L>
  DIFFSIAM_KERNEL void operator()(L& lane, Shared&) const {
    Index const output = lane.block() * block_threads + lane.thread();
    if (output >= outputs) return;
    T sum = T(0);
    for (Index chunk = 0; chunk < chunks; ++chunk) sum += target.partial[output * chunks + chunk];
    Division const place = divide(output, columns);
    target.add_to_output(kept, place.quotient, place.rest, sum);
  }
};

/// out += f(operands...), summed over the axes along which `out` has stride 0. Operands have type X.
template <class Device, class T, class X, class F, class Out, class... O>
void sum(typename Device::Context& context, Grid const& grid, F const& f, Out const& out,
         O const&... operands) {
  if (grid.size() == 0) return;
  constexpr bool keeps_columns = Out::inner == 1;
  constexpr std::size_t count = sizeof...(O);
  // Shorter sums are the work of one thread, longer ones that of a warp or of a block.
  constexpr Index short_sum = 16, warp_sum = 1024;
  // Enough blocks to fill a large card, and the fewest terms for which a chunk is worth it.
  constexpr Index wanted_blocks = 1024, least_chunk = 4096;

  Merged<count + 1> const merged{grid, out, operands...};
  using S = Summands<T, X, F, O::inner...>;
  S summands{f, merged.template places<X, count>(1), {}, {}, merged.columns(), 1, 1, 1};
  Index kept_rows = 1;
  for (std::size_t axis = 0; axis < 4; ++axis) {
    bool const kept = merged.strides[0][axis] != 0;
    Index const extent = merged.grid.extent[axis];
    summands.kept[axis] = kept ? extent : 1;
    summands.summed[axis] = kept ? 1 : extent;
    (kept ? kept_rows : summands.length) *= extent;
  }
  Index const columns = keeps_columns ? summands.columns : 1;
  if (!keeps_columns) summands.length *= summands.columns;
  Index const column_blocks = blocks_for(columns, warp_size);
  SumTarget<T> target{merged.template places<T, 1>(0), nullptr};

  if (summands.length > warp_sum) {
    Index const per_summand = keeps_columns ? warp_size : 1;
    summands.chunks = std::clamp<Index>(wanted_blocks / (kept_rows * column_blocks), 1,
                                        std::max<Index>(1, summands.length * per_summand / least_chunk));
  }
  summands.chunk = (summands.length + summands.chunks - 1) / summands.chunks;
  summands.chunks = (summands.length + summands.chunk - 1) / summands.chunk;
  std::shared_ptr<void> memory;
  if (summands.chunks > 1) {
    memory = context.allocate(static_cast<std::size_t>(kept_rows * columns * summands.chunks) * sizeof(T));
    target.partial = static_cast<T*>(memory.get());
  }

  if (summands.length <= short_sum) {
    SumOneByOne<keeps_columns, T, S> const kernel{summands, target, kept_rows * columns};
    Device::launch(context, blocks_for(kernel.outputs, block_threads), kernel);
  } else if constexpr (keeps_columns) {
    SumColumns<T, S> const kernel{summands, target, column_blocks};
    Device::launch(context, kept_rows * summands.chunks * column_blocks, kernel);
  } else if (summands.length <= warp_sum) {
    SumRows<Team::warp, T, S> const kernel{summands, target, kept_rows};
    Device::launch(context, blocks_for(kept_rows, block_threads / warp_size), kernel);
  } else {
    SumRows<Team::block, T, S> const kernel{summands, target, kept_rows};
    Device::launch(context, kept_rows * summands.chunks, kernel);
  }
  if (summands.chunks > 1) {
    AddChunks<T> kernel{target, {}, kept_rows * columns, columns, summands.chunks};
    std::copy_n(summands.kept, 4, kernel.kept);
    Device::launch(context, blocks_for(kernel.outputs, block_threads), kernel);
  }
}

}  // namespace diffsiam::backend::cuda
