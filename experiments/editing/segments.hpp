// Segments of subsets: runs of equal length, from the finest time-steps to the coarsest.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include <diffsiam/model/interpolate.hpp>

#include <experiments/editing/studio.hpp>

namespace experiments {

[[nodiscard]] inline std::vector<ds::model::SubsetRange> segments_of(Studio const& studio) {
  int const k = studio.partition.subsets(), n = std::min(studio.settings.segments, k);
  std::vector<ds::model::SubsetRange> segments;
  for (int i = 0; i < n; ++i) segments.push_back({k * i / n, k * (i + 1) / n});
  return segments;
}

/// "0 to 3, t in [0, 250)", as a table names a segment.
[[nodiscard]] inline std::string name_of(ds::TimestepPartition const& partition,
                                         ds::model::SubsetRange const& range) {
  if (range.last - range.first == partition.subsets()) return "all of z";
  int const end =
      range.last == partition.subsets() ? partition.timesteps() : partition.first_step(range.last);
  return std::to_string(range.first) + " to " + std::to_string(range.last - 1) + ", t in [" +
         std::to_string(partition.first_step(range.first)) + ", " + std::to_string(end) + ")";
}

}  // namespace experiments
