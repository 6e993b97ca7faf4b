// Lane: the thread that a kernel runs on, as the kernel sees it. Kernels are functors
//
//   struct K {
//     struct Shared { ... };                                  // memory that a block shares
//     template <Lane L> void operator()(L& lane, Shared& shared) const;
//   };
//
// so that a device can run them, and also a host without a device (testing/stepped_device.hpp).
#pragma once

#include <concepts>

#include <diffsiam/config.hpp>
#include <diffsiam/core/shape.hpp>

namespace diffsiam::backend::cuda {

/// Threads that run in lockstep.
inline constexpr int warp_size = 32;
/// Threads of every block: enough to hide latency, and few enough for the registers of every kernel.
inline constexpr int block_threads = 256;

/// Satisfied if and only if L knows its position, can wait for its block, and can exchange values within its
/// warp. `exchange(x, mask)` returns the x of the thread whose number in the warp differs in the bits of
/// `mask`; all threads of the warp must call it. All threads of the block must reach `sync()`.
template <class L>
concept Lane = requires(L& lane, float x, int mask) {
  { lane.thread() } -> std::same_as<int>;
  { lane.block() } -> std::same_as<Index>;
  { lane.exchange(x, mask) } -> std::same_as<float>;
  lane.sync();
};

/// The number of blocks of a kernel.
[[nodiscard]] constexpr Index blocks_for(Index items, Index items_per_block) {
  return (items + items_per_block - 1) / items_per_block;
}

/// Combines the values of a warp by f, which must be commutative. All lanes get the same bits.
template <Lane L, class T, class F>
DIFFSIAM_KERNEL T combine_warp(L& lane, T value, F const& f) {
  for (int mask = warp_size / 2; mask > 0; mask /= 2) value = f(value, lane.exchange(value, mask));
  return value;
}

/// Whether a row of a kernel is the work of a warp or of a whole block.
enum class Team { warp, block };
template <Team team>
inline constexpr int team_threads = team == Team::warp ? warp_size : block_threads;

/// The shared memory of combine_team.
template <class T>
struct TeamMemory {
  T of_warp[block_threads / warp_size];
};

/// Combines the values of a team by f. All lanes get the same bits. All threads of the block must call it.
template <Team team, Lane L, class T, class F>
DIFFSIAM_KERNEL T combine_team(L& lane, TeamMemory<T>& memory, T value, F const& f) {
  value = combine_warp(lane, value, f);
  if constexpr (team == Team::block) {
    int const warp = lane.thread() / warp_size, in_warp = lane.thread() % warp_size;
    lane.sync();  // the memory may still be in use by an earlier call
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
