// Ranks of values, as rank correlation and the area under a ROC curve take them.
#pragma once

#include <algorithm>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <numeric>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <diffsiam/core/error.hpp>

namespace diffsiam::eval {

/// The rank of each value, from 1 for the least; equal values all get the mean of the ranks they take up.
/// Throws NumericError for NaN; infinite values have a rank like any other.
template <std::floating_point T>
[[nodiscard]] std::vector<double> average_ranks(std::span<T const> values,
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

}  // namespace diffsiam::eval
