// TensorBatch: tensors that a kernel works on at once. A launch carries the addresses of 128 of them, so that
// all of a network take a few launches, also while work is recorded.
#pragma once

#include <algorithm>
#include <cstddef>
#include <span>

#include <diffsiam/backend/cuda/kernels/lane.hpp>
#include <diffsiam/core/multi_tensor.hpp>

namespace diffsiam::backend::cuda {

/// Up to 128 tensors, each cut into chunks.
template <class T>
struct TensorBatch {
  static constexpr int most = 128;
  static constexpr Index chunk = 8192;  ///< values: two rounds of four packs for each thread of a block
  TensorValues<T> tensor[most];
  int chunks_before[most + 1];
  int count;

  explicit TensorBatch(std::span<TensorValues<T> const> tensors)
      : tensor{}, chunks_before{}, count(static_cast<int>(tensors.size())) {
    for (std::size_t i = 0; i < tensors.size(); ++i) {
      tensor[i] = tensors[i];
      chunks_before[i + 1] = chunks_before[i] + static_cast<int>(blocks_for(tensors[i].size, chunk));
    }
  }
  /// Calls f(batch, from) for all tensors, 128 at a time; `from` is the number of the first one.
  template <class F>
  static void for_each(std::span<TensorValues<T> const> tensors, F const& f) {
    for (std::size_t from = 0; from < tensors.size(); from += most)
      f(TensorBatch{tensors.subspan(from, std::min<std::size_t>(most, tensors.size() - from))}, from);
  }
  [[nodiscard]] Index chunks() const { return chunks_before[count]; }
  /// The tensor that has this chunk.
  [[nodiscard]] DIFFSIAM_KERNEL int tensor_of(Index number) const {
    int first = 0, last = count - 1;
    while (first < last) {
      int const middle = (first + last + 1) / 2;
      if (chunks_before[middle] <= number)
        first = middle;
      else
        last = middle - 1;
    }
    return first;
  }
};

}  // namespace diffsiam::backend::cuda
