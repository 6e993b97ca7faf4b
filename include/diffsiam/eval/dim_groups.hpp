// DimGroups: the parts of a code that measures compare. A part is a single dim or a range of dims, such as a
// subset of a partition.
#pragma once

#include <numeric>
#include <string>
#include <string_view>
#include <vector>

#include <diffsiam/core/error.hpp>
#include <diffsiam/eval/features.hpp>

namespace diffsiam::eval {

/// Group g holds dims [ends[g - 1], ends[g]); the first group begins at 0.
struct DimGroups {
  std::vector<Index> ends;  ///< the dim behind the last of each group, ascending

  /// One group for each dim. Throws RangeError unless dims is at least 1.
  [[nodiscard]] static DimGroups each(Index dims) {
    if (dims < 1) fail<RangeError>("DimGroups::each", "at least one dim", dims);
    DimGroups result{std::vector<Index>(static_cast<std::size_t>(dims))};
    std::iota(result.ends.begin(), result.ends.end(), Index{1});
    return result;
  }
  /// The number of groups.
  [[nodiscard]] Index count() const { return static_cast<Index>(ends.size()); }
  /// The first dim of group g.
  [[nodiscard]] Index begin(Index g) const { return g == 0 ? 0 : ends[static_cast<std::size_t>(g - 1)]; }
  /// The dim behind the last of group g.
  [[nodiscard]] Index end(Index g) const { return ends[static_cast<std::size_t>(g)]; }
  /// The number of dims of group g.
  [[nodiscard]] Index size(Index g) const { return end(g) - begin(g); }
};

/// Throws ConfigError unless the ends increase, are at least 1, and the last is `dims`.
inline void require_groups(std::string_view operation, DimGroups const& groups, Index dims) {
  Index before = 0;
  for (Index const end : groups.ends) {
    if (end <= before)
      fail<ConfigError>(operation, "ends of groups that ascend, the first above 0",
                        std::to_string(end) + " after " + std::to_string(before));
    before = end;
  }
  if (before != dims)
    fail<ConfigError>(operation, "groups that end at " + std::to_string(dims) + ", the dims of the features",
                      before);
}

namespace detail {

/// Columns [begin, begin + width) of the features, as (count, width).
[[nodiscard]] inline std::vector<float> columns_of(Features const& features, Index begin, Index width) {
  std::vector<float> result;
  result.reserve(static_cast<std::size_t>(features.count * width));
  for (Index i = 0; i < features.count; ++i)
    result.insert(result.end(), features.row(i) + begin, features.row(i) + begin + width);
  return result;
}

}  // namespace detail
}  // namespace diffsiam::eval
