// A stratified draw: a share of the samples of every class, as measures with few labels need it. From a class
// of n samples max(1, round(share n)) are drawn without replacement, so that no class is missing.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <map>
#include <span>
#include <vector>

#include <diffsiam/core/error.hpp>
#include <diffsiam/core/philox.hpp>
#include <diffsiam/core/shape.hpp>
#include <diffsiam/data/permutation.hpp>

namespace diffsiam::eval {

/// The positions of the drawn samples, ascending. `share` is in (0, 1]; halves are rounded up. The same `rng`
/// draws the same samples. Throws ShapeError without labels, RangeError for a share out of range.
[[nodiscard]] inline std::vector<Index> stratified_draw(std::span<int const> labels, double share,
                                                        Rng const& rng) {
  if (labels.empty() || labels.size() > std::numeric_limits<std::int32_t>::max())
    fail<ShapeError>("stratified_draw", "1 .. 2^31 - 1 labels", labels.size());
  if (!(share > 0 && share <= 1)) fail<RangeError>("stratified_draw", "a share in (0, 1]", share);
  std::map<int, Index> left;
  for (int const label : labels) ++left[label];
  for (auto& [label, count] : left)
    count = std::max<Index>(1, std::lround(share * static_cast<double>(count)));

  std::vector<std::uint32_t> order(labels.size());
  data::fill_permutation(order, rng);
  std::vector<Index> drawn;
  for (std::uint32_t const at : order)
    if (left[labels[at]]-- > 0) drawn.push_back(static_cast<Index>(at));
  std::sort(drawn.begin(), drawn.end());
  return drawn;
}

}  // namespace diffsiam::eval
