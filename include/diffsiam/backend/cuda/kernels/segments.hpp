// Kernels of a recorded training step: the verdict on its gradients, and all weights in one launch.
#pragma once

#include <cstddef>
#include <utility>

#include <diffsiam/backend/cuda/kernels/lane.hpp>
#include <diffsiam/core/segments.hpp>
#include <diffsiam/functional/updates.hpp>

namespace diffsiam::backend::cuda {

/// (*f)(*verdict, ...) at every place of the segments, one of them a block. What changes from step to step is
/// read from memory.
template <class T, std::size_t N, class F>
struct ForEachInSegments {
  struct Shared {};
  static constexpr bool synchronises = false;
  Segment<T, N> const* segments;
  F const* f;
  Verdict<T> const* verdict;

  template <Lane L>
  DIFFSIAM_KERNEL void operator()(L& lane, Shared&) const {
    Segment<T, N> const at = segments[lane.block()];
    F const apply = *f;
    Verdict<T> const judged = *verdict;
    for (Index i = lane.thread(); i < at.size; i += block_threads)
      visit(apply, judged, at, i, std::make_index_sequence<N>{});
  }

 private:
  template <std::size_t... I>
  DIFFSIAM_KERNEL static void visit(F const& apply, Verdict<T> const& judged, Segment<T, N> const& at,
                                    Index i, std::index_sequence<I...>) {
    apply(judged, at.data[I][i]...);
  }
};

/// One block: sums in double, in the order of the parameters, as the host adds them.
template <class T>
struct Judge {
  struct Shared {
    double value[block_threads];
  };
  static constexpr bool synchronises = true;
  Evidence<T> evidence;
  Verdict<T>* verdict;

  template <Lane L>
  DIFFSIAM_KERNEL void operator()(L& lane, Shared& shared) const {
    // A sum is finite if and only if all that was added is: losses only tell whether they are.
    double const losses = sum(lane, shared, evidence.losses, evidence.loss_count);
    double const squares = sum(lane, shared, evidence.squares, evidence.square_count);
    if (lane.thread() != 0) return;
    double const scale = *evidence.scale;
    double const norm = functional::sqrt(squares) / scale;
    bool const sound = functional::finite(losses) && functional::finite(norm);
    *verdict = {static_cast<T>(functional::clip_factor(norm, evidence.max_norm) / scale), sound ? 1 : 0};
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
