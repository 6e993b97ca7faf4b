// The values of many tensors in low precision, in one launch for each 128 of them.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include <diffsiam/backend/cuda/kernels/access.hpp>
#include <diffsiam/backend/cuda/kernels/lane.hpp>
#include <diffsiam/backend/cuda/kernels/pack.hpp>
#include <diffsiam/backend/cuda/kernels/tensor_batch.hpp>

namespace diffsiam::backend::cuda {

/// The values of each chunk as C, with one block for each. Chunk i goes to `to` + i TensorBatch::chunk.
template <class T, class C>
struct RoundChunks {
  struct Shared {};
  static constexpr bool synchronises = false;
  TensorBatch<T> batch;
  C* to;

  template <Lane L>
  DIFFSIAM_KERNEL void operator()(L& lane, Shared&) const {
    constexpr int width = widest_pack<C>;
    int const i = batch.tensor_of(lane.block());
    Index const from = (lane.block() - batch.chunks_before[i]) * batch.chunk;
    Index const rest = batch.tensor[i].size - from, size = rest < batch.chunk ? rest : batch.chunk;
    T const* const values = batch.tensor[i].data + from;
    C* const copy = to + lane.block() * batch.chunk;
    Index const packed = fits_packs_at(values, width) ? size - size % width : 0;
    each_loaded(
        lane.thread() * width, packed, block_threads * width,
        [&](Index at) { return load_pack<width>(values + at); },
        [&](Index at, Pack<T, width> const& pack) {
          Pack<C, width> rounded;
          for (int j = 0; j < width; ++j) write(rounded.value, j, pack.value[j]);
          store_pack(copy + at, rounded);
        });
    for (Index at = packed + lane.thread(); at < size; at += block_threads) write(copy, at, values[at]);
  }
};

/// Where the copy of each tensor begins, in values, and at the end how many values all copies take.
template <class T>
[[nodiscard]] std::vector<Index> places_of_rounded(std::span<TensorValues<T> const> tensors) {
  std::vector<Index> places{0};
  for (TensorValues<T> const& tensor : tensors)
    places.push_back(places.back() + blocks_for(tensor.size, TensorBatch<T>::chunk) * TensorBatch<T>::chunk);
  return places;
}
/// Writes the tensors as C to these places of `to`, which begins at a multiple of 16 bytes.
template <class Device, class T, class C>
void round_values(typename Device::Context& context, std::span<TensorValues<T> const> tensors,
                  std::span<Index const> places, C* to) {
  TensorBatch<T>::for_each(tensors, [&](TensorBatch<T> const& batch, std::size_t from) {
    if (batch.chunks() > 0)
      Device::launch(context, batch.chunks(), RoundChunks<T, C>{batch, to + places[from]});
  });
}

}  // namespace diffsiam::backend::cuda
