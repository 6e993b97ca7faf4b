// The softmax of rows, or its logarithm: a warp computes a short row, a block a long one.
#pragma once

#include <limits>

#include <diffsiam/backend/cuda/kernels/lane.hpp>
#include <diffsiam/functional/math.hpp>

namespace diffsiam::backend::cuda {

/// y = the softmax of each row of x, or its logarithm. x and y may be the same memory, because a lane reads
/// and writes only its own columns.
template <Team team, bool Log, class T>
struct Softmax {
  using Shared = TeamMemory<T>;
  static constexpr bool synchronises = true;
  Index rows, columns;
  T const* x;
  T* y;

  template <Lane L>
  DIFFSIAM_KERNEL void operator()(L& lane, Shared& memory) const {
    constexpr int threads = team_threads<team>;
    Index const row = lane.block() * (block_threads / threads) + lane.thread() / threads;
    Index const first = lane.thread() % threads;
    // Teams beyond the last row have no columns, but must take part in combine_team.
    Index const stop = row < rows ? columns : Index{0};
    T const* const in = x + row * columns;
    T* const out = y + row * columns;
    T greatest = -std::numeric_limits<T>::infinity();
    for (Index j = first; j < stop; j += threads) greatest = functional::max(greatest, in[j]);
    greatest = combine_team<team>(lane, memory, greatest, [](T a, T b) { return functional::max(a, b); });
    T sum = T(0);
    for (Index j = first; j < stop; j += threads) sum += functional::exp(in[j] - greatest);
    sum = combine_team<team>(lane, memory, sum, [](T a, T b) { return a + b; });
    if constexpr (Log) {
      T const log_sum = functional::log(sum);
      // The largest value is subtracted first, so that a large common offset loses no digits.
      for (Index j = first; j < stop; j += threads) out[j] = (in[j] - greatest) - log_sum;
    } else {
      T const scale = T(1) / sum;
      for (Index j = first; j < stop; j += threads) out[j] = functional::exp(in[j] - greatest) * scale;
    }
  }
};

template <class Device, bool Log, class T>
void softmax(typename Device::Context& context, Index rows, Index columns, T const* x, T* y) {
  if (rows == 0 || columns == 0) return;
  constexpr Index longest_of_warp = 1024;
  if (columns <= longest_of_warp) {
    Device::launch(context, blocks_for(rows, block_threads / warp_size),
                   Softmax<Team::warp, Log, T>{rows, columns, x, y});
  } else {
    Device::launch(context, rows, Softmax<Team::block, Log, T>{rows, columns, x, y});
  }
}

}  // namespace diffsiam::backend::cuda
