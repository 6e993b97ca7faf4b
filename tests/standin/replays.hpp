// What tests of the stand-in ask of recorded steps: the bits of ordinary ones. On a device the compiler may
// fuse the same arithmetic in another way in another kernel, and plans may be timed otherwise; here it cannot
// be so.
#pragma once

#include <cstdint>
#include <vector>

#include <tests/support/catch.hpp>
#include <tests/train/recorded_run.hpp>

namespace diffsiam::test {

/// Weights, buffers, averages and moments.
template <class Run>
[[nodiscard]] std::vector<float> state_of(Run const& run) {
  using B = typename Run::Backend;
  std::vector<float> result = all_values<B>(run.net);
  auto const append = [&](Tensor<B> const& state) {
    auto const values = state.values();
    result.insert(result.end(), values.begin(), values.end());
  };
  run.ema.for_each_state([&](auto const&, Tensor<B> const& state, auto const&) { append(state); });
  run.adam.for_each_state([&](auto const&, Tensor<B> const& state) { append(state); });
  return result;
}

/// Checks that the two, which begin alike, are the same after `steps` steps; of `replayed`, three are
/// ordinary ones and the rest are replays.
template <class Run>
void require_same_bits(Run& ordinary, Run& replayed, std::uint64_t steps) {
  auto const first = state_of(ordinary);
  auto const losses = step_both_ways(ordinary, replayed, steps);
  CHECK(replayed.recorded.recorded());
  CHECK(losses.ordinary.size() == steps);
  CHECK(losses.recorded == losses.ordinary);
  auto const last = state_of(ordinary);
  CHECK(last != first);
  CHECK(state_of(replayed) == last);
}

}  // namespace diffsiam::test
