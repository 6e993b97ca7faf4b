// GroupTotals: from sums over the positions of each channel to sums over the channels of each group.
#pragma once

#include <algorithm>

#include <diffsiam/backend/cuda/kernels/columns.hpp>
#include <diffsiam/backend/cuda/kernels/lane.hpp>
#include <diffsiam/backend/cuda/kernels/pack.hpp>
#include <diffsiam/backend/cuda/kernels/places.hpp>
#include <diffsiam/core/norm.hpp>

namespace diffsiam::backend::cuda {

/// Adds what ColumnSums left for the groups: a block has whole groups of one sample, and in each group a
/// thread a channel, or several of a wide group.
template <class T>
struct GroupTotals {
  static constexpr int planes = 2;
  struct Shared {
    T of_thread[planes][block_threads];
  };
  NormGeometry g;
  Index chunks;
  T const* partial;  ///< (n, chunks, planes, c)
  Index threads;     ///< of a group
  Index groups;      ///< of a block

  GroupTotals(NormGeometry const& geometry, Index of_sample, T const* sums)
      : g(geometry),
        chunks(of_sample),
        partial(sums),
        threads(std::min<Index>(g.per_group(), block_threads)),
        groups(block_threads / threads) {}
  [[nodiscard]] Index blocks() const { return g.n * blocks_for(g.groups, groups); }

  /// The channels of a thread: first, first + threads, ... before stop.
  struct Channels {
    Index n, first, stop;
  };
  DIFFSIAM_KERNEL Channels channels(Index block, int thread) const {
    Division const at = divide(block, blocks_for(g.groups, groups)), in_block = divide(thread, threads);
    Index const group = at.rest * groups + in_block.quotient;
    if (in_block.quotient >= groups || group >= g.groups) return {at.quotient, 0, 0};
    Index const first = group * g.per_group();
    return {at.quotient, first + in_block.rest, first + g.per_group()};
  }
  /// The sum of a channel over its chunks.
  DIFFSIAM_KERNEL T of_channel(Index n, int plane, Index channel) const {
    T sum = T(0);
    for (Index chunk = 0; chunk < chunks; ++chunk)
      sum += partial[((n * chunks + chunk) * planes + plane) * g.c + channel];
    return sum;
  }
  /// Replaces the sums of threads by those of their groups. All threads of the block must call it.
  template <Lane L>
  DIFFSIAM_KERNEL void add_threads(L& lane, Shared& shared, T (&sums)[planes]) const {
    for (int plane = 0; plane < planes; ++plane) shared.of_thread[plane][lane.thread()] = sums[plane];
    lane.sync();
    Division const in_block = divide(lane.thread(), threads);
    if (in_block.quotient >= groups) return;
    for (int plane = 0; plane < planes; ++plane) {
      sums[plane] = T(0);
      for (Index i = 0; i < threads; ++i)
        sums[plane] += shared.of_thread[plane][in_block.quotient * threads + i];
    }
  }
};

/// The terms of a sum over the chunks of each sample: `partial` (n, chunks, columns).
template <int Width, class T>
struct ChunkTerms {
  static constexpr int planes = 1;
  T const* partial;

  DIFFSIAM_KERNEL void add(ColumnWalk const& walk, ColumnPlace const& at, T (&sums)[planes][Width]) const {
    at.each_offset(
        walk, [&](Index i) { return load_pack<Width>(partial + i); },
        [&](Index, Pack<T, Width> const& values) {
          for (int j = 0; j < Width; ++j) sums[0][j] += values.value[j];
        });
  }
};

/// How many values group_totals() writes to its memory.
[[nodiscard]] inline Index sums_size(ColumnWalk const& walk) {
  return walk.n * (walk.chunks + 1) * GroupTotals<float>::planes * walk.c;
}
/// Queues the sums of `terms` over the positions of each channel, and returns what adds them for each group.
/// A few large samples have many chunks: these are added up by a launch of their own, in which a block takes
/// two packs of columns. `memory` has sums_size() values.
template <class Device, int Width, class T, class Terms>
[[nodiscard]] GroupTotals<T> group_totals(typename Device::Context& context, NormGeometry const& g,
                                          ColumnWalk const& walk, Terms const& terms, T* memory) {
  constexpr int planes = GroupTotals<T>::planes;
  constexpr Index most_chunks = 32;  // that a thread adds alone
  Index const columns = planes * g.c;
  T* const partial = memory + g.n * columns;
  Device::launch(
      context, walk.blocks(),
      ColumnSums<Width, T, Terms, PutPartial<planes, T>>{walk, terms, {partial, walk.chunks, g.c}});
  if (walk.chunks <= most_chunks) return {g, walk.chunks, partial};
  with_pack_width<T>(columns % widest_pack<T> == 0, [&](auto width) {
    ColumnWalk const chunks{g.n, walk.chunks, columns, width, 2, 1};
    Device::launch(context, chunks.blocks(),
                   ColumnSums<width(), T, ChunkTerms<width(), T>, PutPartial<1, T>>{
                       chunks, {partial}, {memory, 1, columns}});
  });
  return {g, 1, memory};
}

}  // namespace diffsiam::backend::cuda
