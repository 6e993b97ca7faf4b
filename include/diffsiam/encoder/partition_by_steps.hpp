// A partition of dims that are sorted by the time-step at which each is lost: a dim is in the subset whose
// steps hold its own. So a subset is as wide as what is lost in its steps, and the order of subsets is not
// only an order but a clock.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <span>
#include <vector>

#include <diffsiam/core/text.hpp>
#include <diffsiam/encoder/timestep_partition.hpp>

namespace diffsiam::encoder {

/// The partition of one dim for each entry of `lost_steps`, which ascend from 0 or more. A subset of whose
/// steps none is named gets the dim that is nearest in order, because no subset may be empty. Throws
/// RangeError for steps that descend, are negative or not finite, ConfigError for sizes that no partition can
/// have.
[[nodiscard]] inline TimestepPartition partition_by_lost_steps(int timesteps, int subsets,
                                                               std::span<double const> lost_steps) {
  double before = 0;
  for (double const step : lost_steps) {
    if (!(step >= before && std::isfinite(step)))
      fail<RangeError>("partition_by_lost_steps", {"finite steps that ascend, at least ", before}, step);
    before = step;
  }
  auto const dims = static_cast<int>(lost_steps.size());
  auto const even = TimestepPartition::uniform({timesteps, subsets, dims});  // for its checks and its steps
  std::vector<int> ends;
  for (int i = 0; i < subsets; ++i) {
    bool const last = i + 1 == subsets;
    double const next = last ? HUGE_VAL : even.first_step(i + 1);
    auto const count = std::lower_bound(lost_steps.begin(), lost_steps.end(), next) - lost_steps.begin();
    int const least = ends.empty() ? 1 : ends.back() + 1;
    ends.push_back(last ? dims : std::clamp(static_cast<int>(count), least, dims - (subsets - 1 - i)));
  }
  return TimestepPartition::from_ends(timesteps, ends);
}

}  // namespace diffsiam::encoder
