// Kernels of a recorded training step: the scale of its gradients, and the update of all weights in one
// launch.
#pragma once

#include <cstddef>
#include <utility>

#include <diffsiam/backend/cuda/kernels/lane.hpp>
#include <diffsiam/core/multi_tensor.hpp>
#include <diffsiam/functional/updates.hpp>

namespace diffsiam::backend::cuda {

/// Calls (*f)(*scale, ...) at every place of the chunks, with one block for each chunk. Values that change
/// from step to step are read from memory.
template <class T, std::size_t N, class F>
struct MultiTensorApply {
  struct Shared {};
  static constexpr bool synchronises = false;
  TensorChunk<T, N> const* chunks;
  F const* f;
  GradientScale<T> const* scale;

  template <Lane L>
  DIFFSIAM_KERNEL void operator()(L& lane, Shared&) const {
    TensorChunk<T, N> const chunk = chunks[lane.block()];
    F const apply = *f;
    GradientScale<T> const read = *scale;
    for (Index i = lane.thread(); i < chunk.size; i += block_threads)
      visit(apply, read, chunk, i, std::make_index_sequence<N>{});
  }

 private:
  template <std::size_t... I>
  DIFFSIAM_KERNEL static void visit(F const& apply, GradientScale<T> const& scale,
                                    TensorChunk<T, N> const& chunk, Index i, std::index_sequence<I...>) {
    apply(scale, chunk.data[I][i]...);
  }
};

/// One block adds in double, in the order of the parameters, as the host does.
template <class T>
struct FindGradientScale {
  struct Shared {
    double value[block_threads];
  };
  static constexpr bool synchronises = true;
  StepReport<T> report;
  GradientScale<T>* scale;

  template <Lane L>
  DIFFSIAM_KERNEL void operator()(L& lane, Shared& shared) const {
    // A sum is finite if and only if all of its terms are, so one sum is enough to check the losses.
    double const losses = sum(lane, shared, report.losses, report.loss_count);
    double const squares = sum(lane, shared, report.squares, report.square_count);
    if (lane.thread() != 0) return;
    double const loss_scale = *report.loss_scale;
    double const norm = functional::sqrt(squares) / loss_scale;
    *scale = {static_cast<T>(functional::gradient_factor(norm, loss_scale, report.max_norm)),
              functional::finite(losses) && functional::finite(norm) ? 1 : 0};
  }

 private:
  template <Lane L>
  DIFFSIAM_KERNEL static double sum(L& lane, Shared& shared, T const* values, Index count) {
    double total = 0;
    for (Index from = 0; from < count; from += block_threads) {
      lane.sync();
      if (Index const i = from + lane.thread(); i < count)
        shared.value[lane.thread()] = static_cast<double>(values[i]);
      lane.sync();
      if (lane.thread() != 0) continue;
      for (Index i = 0; i < block_threads && from + i < count; ++i) total += shared.value[i];
    }
    return total;
  }
};

}  // namespace diffsiam::backend::cuda
