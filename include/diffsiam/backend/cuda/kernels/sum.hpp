// Sums over a grid. The terms are divided into chunks by shape, never by the card, and the chunks are added
// in a fixed order. So all devices of one architecture always give the same bits.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <memory>

#include <diffsiam/backend/cuda/kernels/columns.hpp>
#include <diffsiam/backend/cuda/kernels/lane.hpp>
#include <diffsiam/backend/cuda/kernels/places.hpp>
#include <diffsiam/backend/cuda/kernels/summands.hpp>

namespace diffsiam::backend::cuda {

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
    Division const place = divide(output, target.columns);
    auto const row = summands.row(place.quotient);
    T sum = T(0);
    for (Index i = 0; i < summands.length; ++i) {
      Division const at = KeepsColumns ? Division{i, place.rest} : divide(i, summands.columns);
      sum += summands.term(summands.template load<1>(row, at.quotient, at.rest), 0);
    }
    target(place.quotient, 0, place.rest, sum);
  }
};

/// A team sums one chunk of a kept row, including its columns.
template <Team team, int Width, class T, class S>
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
    auto const row = summands.row(inside ? place.quotient : 0);
    T sums[Width] = {};
    each_loaded(
        span.from + in_team * Width, inside ? span.stop : 0, threads * Width,
        [&](Index i) {
          Division const at = divide(i, summands.columns);
          return summands.template load<Width>(row, at.quotient, at.rest);
        },
        [&](Index, auto const& values) {
          for (int j = 0; j < Width; ++j) sums[j] += summands.term(values, j);
        });
    T sum = sums[0];
    for (int j = 1; j < Width; ++j) sum += sums[j];
    sum = combine_team<team>(lane, memory, sum, [](T a, T b) { return a + b; });
    if (in_team == 0 && inside) target(place.quotient, place.rest, 0, sum);
  }
};

/// The terms of a sum that keeps its columns, for ColumnSums.
template <int Width, class T, class S>
struct ColumnTerms {
  static constexpr int planes = 1;
  S summands;

  DIFFSIAM_KERNEL void add(ColumnWalk const&, ColumnPlace const& at, T (&sums)[planes][Width]) const {
    auto const row = summands.row(at.n);
    each_loaded(
        at.from, at.stop, at.step, [&](Index i) { return summands.template load<Width>(row, i, at.channel); },
        [&](Index, auto const& values) {
          for (int j = 0; j < Width; ++j) sums[0][j] += summands.term(values, j);
        });
  }
};

/// Queues the sums of each column of each row, over the positions of `walk`.
template <class Device, int Width, class T, class S>
void sum_columns(typename Device::Context& context, ColumnWalk const& walk, S const& summands,
                 SumTarget<T> const& target) {
  Device::launch(context, walk.blocks(),
                 ColumnSums<Width, T, ColumnTerms<Width, T, S>, SumTarget<T>>{walk, {summands}, target});
}
/// Queues the sums of whole rows. divide_into(chunks) prepares the target for chunks.
template <class Device, int Width, class T, class S, class Divide>
void sum_rows(typename Device::Context& context, Index rows, S summands, SumTarget<T> const& target,
              Divide const& divide_into) {
  // Short rows are the work of a warp, longer ones that of blocks: enough to fill a large card, each with the
  // fewest terms for which a chunk is worth it.
  constexpr Index warp_sum = 1024, wanted_blocks = 1024, least_chunk = 8192;
  if (summands.length <= warp_sum) {
    Device::launch(context, blocks_for(rows, block_threads / warp_size),
                   SumRows<Team::warp, Width, T, S>{summands, target, rows});
    return;
  }
  Index const chunks =
      std::clamp<Index>(wanted_blocks / rows, 1, std::max<Index>(1, summands.length / least_chunk));
  summands.chunk = Width * blocks_for(summands.length / Width, chunks);
  summands.chunks = blocks_for(summands.length, summands.chunk);
  divide_into(summands.chunks);
  Device::launch(context, rows * summands.chunks, SumRows<Team::block, Width, T, S>{summands, target, rows});
}
/// Adds chunks to the output. A block takes two packs of columns, so that there are many blocks.
template <class Device, class T>
void add_chunks(typename Device::Context& context, Index rows, SumTarget<T> target) {
  using S = Summands<T, T, functional::Itself, 1>;
  S const chunks = kept_chunks(target, rows);
  target.partial = nullptr;
  if (target.columns == 1) {
    Device::launch(context, rows, SumRows<Team::block, 1, T, S>{chunks, target, rows});
    return;
  }
  with_pack_width<T>(target.columns % widest_pack<T> == 0, [&](auto width) {
    sum_columns<Device, width()>(context, ColumnWalk{rows, target.chunks, target.columns, width, 2, 1},
                                 chunks, target);
  });
}

/// out += f(operands...), summed over the axes along which `out` has stride 0. Operands have type X.
template <class Device, class T, class X, class F, class Out, class... O>
void sum(typename Device::Context& context, Grid const& grid, F const& f, Out const& out,
         O const&... operands) {
  if (grid.size() == 0) return;
  constexpr bool keeps_columns = Out::inner == 1;
  constexpr std::size_t count = sizeof...(O);
  constexpr Index short_sum = 16;  // of which each is the work of a thread

  Merged<count + 1> const merged{grid, out, operands...};
  using S = Summands<T, X, F, O::inner...>;
  S summands{f, merged.template places<X, count>(1), {}, {}, merged.columns(), 1, 1, 1};
  Index rows = 1;
  for (std::size_t axis = 0; axis < 4; ++axis) {
    bool const kept = merged.strides[0][axis] != 0;
    Index const extent = merged.grid.extent[axis];
    summands.kept[axis] = kept ? extent : 1;
    summands.summed[axis] = kept ? 1 : extent;
    (kept ? rows : summands.length) *= extent;
  }
  if (!keeps_columns) summands.length *= summands.columns;
  summands.chunk = summands.length;
  SumTarget<T> target{merged.template places<T, 1>(0), {}, keeps_columns ? summands.columns : 1, 1, nullptr};
  std::copy_n(summands.kept, 4, target.kept);
  std::shared_ptr<void> memory;
  auto const divide_into = [&](Index chunks) {
    target.chunks = chunks;
    if (chunks == 1) return;
    memory = context.allocate(static_cast<std::size_t>(rows * chunks * target.columns) * sizeof(T));
    target.partial = static_cast<T*>(memory.get());
  };

  if (summands.length <= short_sum) {
    SumOneByOne<keeps_columns, T, S> const kernel{summands, target, rows * target.columns};
    return Device::launch(context, blocks_for(kernel.outputs, block_threads), kernel);
  }
  std::array<int, count> const inner{O::inner...};
  bool fit = summands.columns % widest_pack<X> == 0;
  for (std::size_t i = 0; i < count; ++i)
    fit = fit && (inner[i] == 0 || merged.fits_packs(1 + i, widest_pack<X>, sizeof(X)));
  with_pack_width<X>(fit, [&](auto width) {
    if constexpr (keeps_columns) {
      ColumnWalk walk{rows, summands.length, summands.columns, width};
      if (walk.fit_together())
        walk = walk.all_together();
      else
        divide_into(walk.chunks);
      sum_columns<Device, width()>(context, walk, summands, target);
    } else {
      sum_rows<Device, width()>(context, rows, summands, target, divide_into);
    }
  });
  if (target.partial != nullptr) add_chunks<Device>(context, rows, target);
}

}  // namespace diffsiam::backend::cuda
