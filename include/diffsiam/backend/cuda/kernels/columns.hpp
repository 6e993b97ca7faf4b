// Columns: how blocks and threads go through images (n, s, c) where every channel has its own factors or its
// own sum. A thread keeps its channels, so that it reads their factors once for many positions.
#pragma once

#include <algorithm>

#include <diffsiam/backend/cuda/kernels/lane.hpp>
#include <diffsiam/backend/cuda/kernels/pack.hpp>
#include <diffsiam/backend/cuda/kernels/places.hpp>

namespace diffsiam::backend::cuda {

/// A block goes through a chunk of the positions of one sample, and a thread through every `rows`-th of them,
/// with one pack of neighbouring channels. The division follows from the shape alone.
struct ColumnWalk {
  Index n, s, c;
  Index width;          ///< channels of a pack
  Index packs, tiles;   ///< packs that a block has side by side; blocks that share the channels
  Index rows;           ///< positions that a block takes at once
  Index chunk, chunks;  ///< positions in a chunk; chunks of a sample
  Index together = 1;   ///< chunks that a block takes at once: 1 or all

  /// A block has at most `most_packs` packs side by side, and a sample at most `most_chunks` chunks.
  ColumnWalk(Index samples, Index positions, Index channels, Index pack, Index most_packs = block_threads,
             Index most_chunks = 512)
      : n(samples), s(positions), c(channels), width(pack) {
    // Blocks that fill a large card, and positions of a thread that are worth reading its factors.
    constexpr Index wanted_blocks = 1024, least_of_thread = 16;
    Index const all_packs = c / width;
    tiles = blocks_for(all_packs, most_packs);
    packs = blocks_for(all_packs, tiles);
    rows = block_threads / packs;
    Index const useful_chunks = std::max<Index>(1, std::min(most_chunks, s / (rows * least_of_thread)));
    chunks = std::clamp<Index>(wanted_blocks / (n * tiles), 1, useful_chunks);
    chunk = blocks_for(s, chunks);
    chunks = blocks_for(s, chunk);
  }
  [[nodiscard]] Index blocks() const { return n * (chunks / together) * tiles; }
  /// Whether all chunks of a sample leave a block eight packs side by side, which fill sectors of memory.
  [[nodiscard]] bool fit_together() const { return rows * chunks * 8 <= block_threads; }
  /// The same division of the same sums, where a block takes all chunks of fewer channels.
  [[nodiscard]] ColumnWalk all_together() const {
    ColumnWalk result = *this;
    Index const all_packs = c / width;
    result.together = chunks;
    result.tiles = blocks_for(all_packs, block_threads / (rows * chunks));
    result.packs = blocks_for(all_packs, result.tiles);
    return result;
  }
};

/// The place of one thread in a ColumnWalk.
struct ColumnPlace {
  Index n, chunk;
  Index in_block;          ///< the first chunk of the block
  Index tile, channel;     ///< first channels of the block and of the thread
  Index from, stop, step;  ///< positions of the thread
  bool inside;             ///< whether there are such channels

  DIFFSIAM_KERNEL ColumnPlace(ColumnWalk const& walk, Index block, int thread) {
    Division const tiled = divide(block, walk.tiles);
    Division const chunked = divide(tiled.quotient, walk.chunks / walk.together);
    Division const at = divide(thread, walk.packs), row = divide(at.quotient, walk.rows);
    n = chunked.quotient;
    in_block = chunked.rest;
    chunk = in_block + row.quotient;
    tile = tiled.rest * walk.packs * walk.width;
    channel = tile + at.rest * walk.width;
    from = chunk * walk.chunk + row.rest;
    stop = (chunk + 1) * walk.chunk < walk.s ? (chunk + 1) * walk.chunk : walk.s;
    step = walk.rows;
    inside = row.quotient < walk.together && channel < walk.c;
  }
  /// Calls use(i, load(i)) for the offset i, in an image (n, s, c), of each position of the thread.
  template <class Load, class Use>
  DIFFSIAM_KERNEL void each_offset(ColumnWalk const& walk, Load const& load, Use const& use) const {
    Index const first = n * walk.s * walk.c + channel;
    each_loaded(first + from * walk.c, first + stop * walk.c, step * walk.c, load, use);
  }
};

/// Sums over the positions of each chunk, for each channel, or over all chunks where a block takes them
/// together: then those of chunks are added in their order. terms.add(walk, place, sums) adds those of a
/// thread, for each of `Terms::planes` sums; put(n, chunk, plane, channel, sum) takes the result.
template <int Width, class T, class Terms, class Put>
struct ColumnSums {
  static constexpr int planes = Terms::planes;
  struct Shared {
    T of_thread[planes][block_threads * Width];
  };
  static constexpr bool synchronises = true;
  ColumnWalk walk;
  Terms terms;
  Put put;

  template <Lane L>
  DIFFSIAM_KERNEL void operator()(L& lane, Shared& shared) const {
    ColumnPlace const at{walk, lane.block(), lane.thread()};
    T sums[planes][Width] = {};
    if (at.inside) terms.add(walk, at, sums);
    for (int plane = 0; plane < planes; ++plane)
      for (int j = 0; j < Width; ++j) shared.of_thread[plane][lane.thread() * Width + j] = sums[plane][j];
    lane.sync();
    Index const columns = walk.packs * Width;
    for (Index i = lane.thread(); i < planes * columns; i += block_threads) {
      Division const place = divide(i, columns);
      if (at.tile + place.rest >= walk.c) continue;
      T all = T(0);
      for (Index chunk = 0; chunk < walk.together; ++chunk) {
        T sum = T(0);
        for (Index row = chunk * walk.rows; row < (chunk + 1) * walk.rows; ++row)
          sum += shared.of_thread[place.quotient][row * columns + place.rest];
        all += sum;
      }
      put(at.n, at.in_block, place.quotient, at.tile + place.rest, all);
    }
  }
};

/// Keeps the sums of chunks: to (n, chunks, planes, c).
template <int planes, class T>
struct PutPartial {
  T* to;
  Index chunks, c;

  DIFFSIAM_KERNEL void operator()(Index n, Index chunk, Index plane, Index channel, T sum) const {
    to[((n * chunks + chunk) * planes + plane) * c + channel] = sum;
  }
};

}  // namespace diffsiam::backend::cuda
