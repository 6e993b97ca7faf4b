// step_kernel: runs a kernel block by block, each thread in turn up to its next barrier. Every other block
// begins with its last thread, so that a thread which needs a barrier, and has none, meets values that are
// not there yet whichever neighbour it reads.
#pragma once

#include <algorithm>
#include <cstring>
#include <memory>

#include <tests/standin/device/device.hpp>
#include <tests/standin/device/tally.hpp>

#include <diffsiam/testing/stepped_device.hpp>

namespace diffsiam::standin {

/// A lane that tells a tally which thread runs.
template <class L>
struct CountedLane {
  L& lane;
  Tally& tally;

  [[nodiscard]] int thread() const { return lane.thread(); }
  [[nodiscard]] Index block() const { return lane.block(); }
  void sync() {
    lane.sync();
    tally.enter(lane.thread());
  }
  template <class T>
  [[nodiscard]] T exchange(T value, int mask) {
    T const result = lane.exchange(value, mask);
    tally.enter(lane.thread());
    return result;
  }
};

/// Runs one block; run(lane, shared) is the kernel.
template <class Kernel, class Run>
void step_block(Index block, Run const& run) {
  using Shared = typename Kernel::Shared;
  if constexpr (!Kernel::synchronises) {
    Shared shared{};
    for (int i = 0; i < backend::cuda::block_threads; ++i) {
      testing::LoneLane lane{i, block};
      run(lane, shared);
    }
  } else {
    using Stepped = testing::SteppedBlock;
    static Stepped stepped[2]{Stepped{Stepped::Order::forward}, Stepped{Stepped::Order::backward}};
    static bool backward = false;
    auto const shared = std::make_unique<Shared>();
    // Values that another block has left must not help this one.
    std::memset(static_cast<void*>(shared.get()), 0xFF, sizeof(Shared));
    backward = !backward;
    stepped[backward ? 1 : 0].step_through(block, [&](Stepped::Lane& lane) { run(lane, *shared); });
  }
}

/// Counts what a kernel touches, in as many blocks as are enough.
template <class Kernel>
void count_kernel(Index blocks, Kernel const& kernel, Tally& tally) {
  if (tally.skips_kernels) return;
  Index const stepped = std::min<Index>(blocks, Tally::most_blocks);
  for (Index i = 0; i < stepped; ++i) {
    tally.begin_block();
    step_block<Kernel>(stepped == 1 ? 0 : i * (blocks - 1) / (stepped - 1), [&](auto& lane, auto& shared) {
      tally.enter(lane.thread());
      CountedLane<std::remove_reference_t<decltype(lane)>> counted{lane, tally};
      kernel(counted, shared);
    });
    tally.end_block();
  }
  tally.end_kernel(device().running, static_cast<double>(blocks), static_cast<double>(stepped));
}

template <class Kernel>
void step_kernel(Index blocks, Kernel const& kernel) {
  if (device().tally != nullptr) return count_kernel(blocks, kernel, *device().tally);
  for (Index block = 0; block < blocks; ++block)
    step_block<Kernel>(block, [&](auto& lane, auto& shared) { kernel(lane, shared); });
}

}  // namespace diffsiam::standin
