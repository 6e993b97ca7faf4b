// Lane: a kernel's view of the thread it runs on. Kernels are functors over it,
//
//   struct K {
//     struct Shared { ... };                                  // what a block shares
//     template <Lane L> void operator()(L& lane, Shared& shared) const;
//   };
//
// so that a device runs them, and a host can step through them without one (testing/stepped_device.hpp).
#pragma once

#include <concepts>

#include <diffsiam/config.hpp>
#include <diffsiam/core/shape.hpp>

namespace diffsiam::backend::cuda {

/// Threads that run in step.
inline constexpr int warp_size = 32;
/// Threads of a block, everywhere: enough to hide latency, few enough for any kernel's registers.
inline constexpr int block_threads = 256;

/// Satisfied if and only if L knows its place, waits for its block, and exchanges values within its warp.
/// `exchange(x, mask)` is the x of the thread whose number in the warp differs by the bits of `mask`; all of
/// the warp take part. `sync()` is reached by all of the block.
template <class L>
concept Lane = requires(L& lane, float x, int mask) {
  { lane.thread() } -> std::same_as<int>;
  { lane.block() } -> std::same_as<Index>;
  { lane.exchange(x, mask) } -> std::same_as<float>;
  lane.sync();
};

/// How many blocks a kernel gets.
[[nodiscard]] constexpr Index blocks_for(Index items, Index items_per_block) {
  return (items + items_per_block - 1) / items_per_block;
}

/// f over the warp's values, the same bits on every lane: f commutes.
template <Lane L, class T, class F>
DIFFSIAM_KERNEL T combine_warp(L& lane, T value, F const& f) {
  for (int mask = warp_size / 2; mask > 0; mask /= 2) value = f(value, lane.exchange(value, mask));
  return value;
}

/// Whether a kernel's rows are given to warps or to whole blocks.
enum class Team { warp, block };
template <Team team>
inline constexpr int team_threads = team == Team::warp ? warp_size : block_threads;

/// What combine_team needs to be shared.
template <class T>
struct TeamMemory {
  T of_warp[block_threads / warp_size];
};

/// f over the team's values, the same bits on every lane. A block's threads all take part.
template <Team team, Lane L, class T, class F>
DIFFSIAM_KERNEL T combine_team(L& lane, TeamMemory<T>& memory, T value, F const& f) {
  value = combine_warp(lane, value, f);
  if constexpr (team == Team::block) {
    int const warp = lane.thread() / warp_size, in_warp = lane.thread() % warp_size;
    lane.sync();  // the memory may still be read from the last time
    if (in_warp == 0) memory.of_warp[warp] = value;
    lane.sync();
    constexpr int warps = block_threads / warp_size;
    static_assert(warp_size % warps == 0, "Every lane of a warp takes one warp's value, all equally often.");
    value = memory.of_warp[in_warp % warps];
    for (int mask = warps / 2; mask > 0; mask /= 2) value = f(value, lane.exchange(value, mask));
  }
  return value;
}

}  // namespace diffsiam::backend::cuda
