// Spearman's rank correlation (Spearman, 1904): Pearson's r of the ranks, where equal values share the mean
// of their ranks.
#pragma once

#include <algorithm>
#include <cmath>
#include <numeric>
#include <span>
#include <string_view>
#include <vector>

#include <diffsiam/core/error.hpp>
#include <diffsiam/eval/metrics.hpp>

namespace diffsiam::eval {

/// The rank of each value, from 1 for the smallest. Equal values all get the mean of their ranks. Throws
/// NumericError for NaN; infinite values have ranks like others.
[[nodiscard]] inline std::vector<double> average_ranks(std::span<double const> values,
                                                       std::string_view operation = "average_ranks") {
  for (std::size_t i = 0; i < values.size(); ++i)
    if (std::isnan(values[i])) fail<NumericError>(operation, "values that are numbers", {"NaN at ", i});
  std::vector<std::size_t> order(values.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return values[a] < values[b]; });
  std::vector<double> ranks(values.size());
  for (std::size_t first = 0, last = 0; first < order.size(); first = last) {
    while (last < order.size() && values[order[last]] == values[order[first]]) ++last;
    // Ranks first + 1 .. last.
    double const mean = static_cast<double>(first + 1 + last) / 2;
    for (std::size_t i = first; i < last; ++i) ranks[order[i]] = mean;
  }
  return ranks;
}

/// The correlation, in [-1, 1]. Throws ShapeError for unequal counts or none, RangeError if one side is
/// constant (a single pair always is), NumericError for NaN.
[[nodiscard]] inline double spearman_r(std::span<double const> a, std::span<double const> b) {
  detail::require_pairs("spearman_r", a.size(), b.size());
  std::vector<double> const x = average_ranks(a, "spearman_r"), y = average_ranks(b, "spearman_r");
  double const mean = static_cast<double>(x.size() + 1) / 2;  // of any ranks, with ties or without
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
