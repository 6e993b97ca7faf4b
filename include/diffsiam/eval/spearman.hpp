// Spearman's rank correlation: Pearson's r of the ranks, equal values sharing the mean of theirs
// (Spearman, 1904).
#pragma once

#include <algorithm>
#include <cmath>
#include <span>
#include <vector>

#include <diffsiam/core/error.hpp>
#include <diffsiam/eval/metrics.hpp>
#include <diffsiam/eval/ranks.hpp>

namespace diffsiam::eval {

/// In [-1, 1]. Throws ShapeError for unequal counts or none, RangeError where one side is constant (a single
/// pair is), NumericError for NaN.
[[nodiscard]] inline double spearman_r(std::span<double const> a, std::span<double const> b) {
  detail::require_pairs("spearman_r", a.size(), b.size());
  std::vector<double> const x = average_ranks(a, "spearman_r"), y = average_ranks(b, "spearman_r");
  double const mean = static_cast<double>(x.size() + 1) / 2;  // of any ranks, ties or not
  double xx = 0, yy = 0, xy = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    xx += (x[i] - mean) * (x[i] - mean);
    yy += (y[i] - mean) * (y[i] - mean);
    xy += (x[i] - mean) * (y[i] - mean);
  }
  // Ranks are multiples of 1/2, so for constant values the sums are exactly 0.
  if (!(xx > 0 && yy > 0))
    fail<RangeError>("spearman_r", "values that vary on both sides",
                     {"a constant ", xx > 0 ? "second" : "first", " side"});
  return std::clamp(xy / std::sqrt(xx * yy), -1.0, 1.0);
}

}  // namespace diffsiam::eval
