// The squared norm of each of many tensors, in two launches for each 128 of them.
#pragma once

#include <cstddef>
#include <span>

#include <diffsiam/backend/cuda/kernels/lane.hpp>
#include <diffsiam/backend/cuda/kernels/pack.hpp>
#include <diffsiam/backend/cuda/kernels/tensor_batch.hpp>
#include <diffsiam/core/multi_tensor.hpp>

namespace diffsiam::backend::cuda {

/// The sum of the squares of each chunk, with one block for each.
template <class T>
struct SquareChunks {
  using Shared = TeamMemory<T>;
  static constexpr bool synchronises = true;
  TensorBatch<T> batch;
  T* partial;

  template <Lane L>
  DIFFSIAM_KERNEL void operator()(L& lane, Shared& memory) const {
    constexpr int width = widest_pack<T>;
    int const i = batch.tensor_of(lane.block());
    Index const from = (lane.block() - batch.chunks_before[i]) * batch.chunk;
    Index const rest = batch.tensor[i].size - from, size = rest < batch.chunk ? rest : batch.chunk;
    T const* const values = batch.tensor[i].data + from;
    Index const packed = fits_packs_at(values, width) ? size - size % width : 0;
    T sum = T(0);
    auto const add = [&sum](T value) { sum += value * value; };
    each_loaded(
        lane.thread() * width, packed, block_threads * width,
        [&](Index at) { return load_pack<width>(values + at); },
        [&](Index, Pack<T, width> const& pack) {
          for (int j = 0; j < width; ++j) add(pack.value[j]);
        });
    for (Index at = packed + lane.thread(); at < size; at += block_threads) add(values[at]);
    sum = combine_team<Team::block>(lane, memory, sum, [](T a, T b) { return a + b; });
    if (lane.thread() == 0) partial[lane.block()] = sum;
  }
};

/// squares[i] = the sum of the chunks of tensor i, with one warp for each.
template <class T>
struct AddSquares {
  struct Shared {};
  static constexpr bool synchronises = true;
  TensorBatch<T> batch;
  T const* partial;
  T* squares;

  template <Lane L>
  DIFFSIAM_KERNEL void operator()(L& lane, Shared&) const {
    Index const i = lane.block() * (block_threads / warp_size) + lane.thread() / warp_size;
    int const in_warp = lane.thread() % warp_size;
    // Warps beyond the last tensor add nothing, but must take part in combine_warp.
    Index const from = i < batch.count ? batch.chunks_before[i] : 0;
    Index const stop = i < batch.count ? batch.chunks_before[i + 1] : 0;
    T sum = T(0);
    for (Index chunk = from + in_warp; chunk < stop; chunk += warp_size) sum += partial[chunk];
    sum = combine_warp(lane, sum, [](T a, T b) { return a + b; });
    if (in_warp == 0 && i < batch.count) squares[i] = sum;
  }
};

/// squares[i] = the squared norm of tensor i.
template <class Device, class T>
void square_norms(typename Device::Context& context, std::span<TensorValues<T> const> tensors, T* squares) {
  TensorBatch<T>::for_each(tensors, [&](TensorBatch<T> const& batch, std::size_t from) {
    auto const memory = context.allocate(static_cast<std::size_t>(batch.chunks() + 1) * sizeof(T));
    auto* const partial = static_cast<T*>(memory.get());
    if (batch.chunks() > 0) Device::launch(context, batch.chunks(), SquareChunks<T>{batch, partial});
    Device::launch(context, blocks_for(batch.count, block_threads / warp_size),
                   AddSquares<T>{batch, partial, squares + from});
  });
}

}  // namespace diffsiam::backend::cuda
