// step_kernel: runs a kernel block by block, each thread in turn up to its next barrier. Every other block begins
// with its last thread, so that a thread which needs a barrier, and has none, meets values that are not there yet
// whichever neighbour it reads.
#pragma once

#include <cstring>
#include <memory>

#include <diffsiam/testing/stepped_device.hpp>

namespace diffsiam::standin {

template <class Kernel>
void step_kernel(Index blocks, Kernel const& kernel) {
  using Shared = typename Kernel::Shared;
  if constexpr (!Kernel::synchronises) {
    Shared shared{};
    for (Index block = 0; block < blocks; ++block)
      for (int i = 0; i < backend::cuda::block_threads; ++i) {
        testing::LoneLane lane{i, block};
        kernel(lane, shared);
      }
  } else {
    static testing::SteppedBlock stepped[2]{testing::SteppedBlock{testing::SteppedBlock::Order::forward},
                                            testing::SteppedBlock{testing::SteppedBlock::Order::backward}};
    static bool backward = false;
    auto const shared = std::make_unique<Shared>();
    for (Index block = 0; block < blocks; ++block) {
      // Values that a block leaves must not help the next one.
      std::memset(static_cast<void*>(shared.get()), 0xFF, sizeof(Shared));
      backward = !backward;
      stepped[backward ? 1 : 0].step_through(block, [&](testing::SteppedBlock::Lane& lane) { kernel(lane, *shared); });
    }
  }
}

}  // namespace diffsiam::standin
