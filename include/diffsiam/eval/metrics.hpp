// Scores of predictions: accuracy, average precision, mean squared error, PSNR.
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <diffsiam/core/error.hpp>
#include <diffsiam/core/shape.hpp>

namespace diffsiam::eval {

namespace detail {

inline void require_pairs(std::string_view operation, std::size_t expected, std::size_t actual) {
  if (expected == 0) fail<ShapeError>(operation, "at least one value", "none");
  if (expected != actual) fail<ShapeError>(operation, std::to_string(expected) + " values", actual);
}

}  // namespace detail

/// The fraction of predictions that are right, in [0, 1]. Throws ShapeError for unequal counts or none.
[[nodiscard]] inline double accuracy(std::span<int const> predicted, std::span<int const> labels) {
  detail::require_pairs("accuracy", labels.size(), predicted.size());
  std::size_t right = 0;
  for (std::size_t i = 0; i < labels.size(); ++i) right += predicted[i] == labels[i] ? 1 : 0;
  return static_cast<double>(right) / static_cast<double>(labels.size());
}

/// The accuracy for each class; NaN for a class without samples. Throws ShapeError for unequal counts or
/// none, RangeError for a label outside [0, classes).
[[nodiscard]] inline std::vector<double> accuracy_per_class(std::span<int const> predicted,
                                                            std::span<int const> labels, int classes) {
  detail::require_pairs("accuracy_per_class", labels.size(), predicted.size());
  std::vector<double> right(static_cast<std::size_t>(std::max(classes, 0))), total(right.size());
  for (std::size_t i = 0; i < labels.size(); ++i) {
    if (labels[i] < 0 || labels[i] >= classes)
      fail<RangeError>("accuracy_per_class", "labels in [0, " + std::to_string(classes) + ")", labels[i]);
    auto const label = static_cast<std::size_t>(labels[i]);
    total[label] += 1;
    right[label] += predicted[i] == labels[i] ? 1 : 0;
  }
  for (std::size_t c = 0; c < right.size(); ++c)
    right[c] = total[c] > 0 ? right[c] / total[c] : std::numeric_limits<double>::quiet_NaN();
  return right;
}

/// The sum over the distinct scores, from the largest down, of (R_n - R_{n-1}) P_n, where R and P are recall
/// and precision if all samples with at least that score are called positive; in [0, 1]. `positive` has 0 or
/// 1. Throws ShapeError for unequal counts, RangeError without a positive, NumericError for a score that is
/// NaN.
[[nodiscard]] inline double average_precision(std::span<float const> scores, std::span<int const> positive) {
  detail::require_pairs("average_precision", scores.size(), positive.size());
  std::vector<std::size_t> order(scores.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  Index positives = 0;
  for (std::size_t i = 0; i < scores.size(); ++i) {
    if (std::isnan(scores[i]))
      fail<NumericError>("average_precision", "scores that are numbers",
                         "NaN for sample " + std::to_string(i));
    if (positive[i] != 0 && positive[i] != 1)
      fail<RangeError>("average_precision", "labels 0 or 1",
                       std::to_string(positive[i]) + " of sample " + std::to_string(i));
    positives += positive[i];
  }
  if (positives == 0) fail<RangeError>("average_precision", "at least one positive sample", "none");
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return scores[a] > scores[b]; });
  double sum = 0;
  Index found = 0, found_before = 0;
  for (std::size_t i = 0; i < order.size(); ++i) {
    found += positive[order[i]];
    bool const last_of_score = i + 1 == order.size() || scores[order[i + 1]] != scores[order[i]];
    if (!last_of_score) continue;
    sum +=
        static_cast<double>(found - found_before) * static_cast<double>(found) / static_cast<double>(i + 1);
    found_before = found;
  }
  return sum / static_cast<double>(positives);
}

/// average_precision of each column of scores and labels, both (n, attributes), row-major. Throws as
/// average_precision, for each column.
[[nodiscard]] inline std::vector<double> average_precisions(std::span<float const> scores,
                                                            std::span<int const> positive, Index attributes) {
  detail::require_pairs("average_precisions", scores.size(), positive.size());
  auto const width = static_cast<std::size_t>(attributes);
  if (attributes < 1 || scores.size() % width != 0)
    fail<ShapeError>("average_precisions", "a multiple of the number of attributes, at least 1",
                     {scores.size(), " scores for ", attributes, " attributes"});
  std::vector<float> column(scores.size() / width);
  std::vector<int> labels(column.size());
  std::vector<double> result;
  for (std::size_t a = 0; a < width; ++a) {
    for (std::size_t i = 0; i < column.size(); ++i) {
      column[i] = scores[i * width + a];
      labels[i] = positive[i * width + a];
    }
    result.push_back(average_precision(column, labels));
  }
  return result;
}

/// The mean of average_precisions. Throws as average_precisions.
[[nodiscard]] inline double mean_average_precision(std::span<float const> scores,
                                                   std::span<int const> positive, Index attributes) {
  std::vector<double> const each = average_precisions(scores, positive, attributes);
  return std::accumulate(each.begin(), each.end(), 0.0) / static_cast<double>(attributes);
}

/// The mean of (a - b)^2. Throws ShapeError for unequal counts or none, NumericError for NaN or infinity.
[[nodiscard]] inline double mean_squared_error(std::span<float const> a, std::span<float const> b) {
  detail::require_pairs("mean_squared_error", a.size(), b.size());
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    double const distance = static_cast<double>(a[i]) - static_cast<double>(b[i]);
    sum += distance * distance;
  }
  if (!std::isfinite(sum)) fail<NumericError>("mean_squared_error", "finite values", "NaN or infinity");
  return sum / static_cast<double>(a.size());
}

/// 10 log10(peak^2 / MSE) in dB; infinite for equal pictures. `peak` is the width of the range: 1 for
/// pictures in [0, 1], 2 for [-1, 1]. Throws RangeError unless peak is above 0, and as mean_squared_error.
[[nodiscard]] inline double psnr(std::span<float const> a, std::span<float const> b, double peak = 1) {
  if (!(peak > 0) || std::isinf(peak)) fail<RangeError>("psnr", "a peak above 0", peak);
  return 10 * std::log10(peak * peak / mean_squared_error(a, b));
}

}  // namespace diffsiam::eval
