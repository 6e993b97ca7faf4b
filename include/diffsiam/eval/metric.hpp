// The metrics of nearest neighbours. Sums run in sixteen lanes, so that compilers can vectorise them.
#pragma once

#include <array>
#include <cmath>
#include <cstddef>
#include <string_view>

#include <diffsiam/core/error.hpp>
#include <diffsiam/core/text.hpp>
#include <diffsiam/eval/features.hpp>

namespace diffsiam::eval {

/// How near two features are.
enum class Metric {
  cosine,    ///< a.b / (|a| |b|)
  euclidean  ///< |a - b|
};

/// The name as files have it.
[[nodiscard]] constexpr std::string_view metric_name(Metric metric) {
  return metric == Metric::cosine ? "cosine" : "euclidean";
}

namespace detail {

/// The sum of term(j) for j in [0, count).
template <class Term>
[[nodiscard]] float sum_in_lanes(std::size_t count, Term const& term) {
  constexpr std::size_t lanes = 16;
  std::array<float, lanes> sums{};
  std::size_t j = 0;
  for (; j + lanes <= count; j += lanes)
    for (std::size_t lane = 0; lane < lanes; ++lane) sums[lane] += term(j + lane);
  float total = 0;
  for (; j < count; ++j) total += term(j);
  for (float const sum : sums) total += sum;
  return total;
}

[[nodiscard]] inline float inner_product(float const* a, float const* b, std::size_t dims) {
  return sum_in_lanes(dims, [=](std::size_t j) { return a[j] * b[j]; });
}
[[nodiscard]] inline float squared_distance(float const* a, float const* b, std::size_t dims) {
  return sum_in_lanes(dims, [=](std::size_t j) { return (a[j] - b[j]) * (a[j] - b[j]); });
}

/// The squared distance of two features of at most this length fits in a float.
inline constexpr double longest_features = 1e18;

/// Throws NumericError if a sample is longer.
inline void require_lengths(std::string_view operation, Features const& features) {
  for (Index i = 0; i < features.count; ++i) {
    double squares = 0;
    for (Index j = 0; j < features.dims; ++j)
      squares += static_cast<double>(features.row(i)[j]) * static_cast<double>(features.row(i)[j]);
    if (squares > longest_features * longest_features)
      fail<NumericError>(operation, {"features of a length up to ", longest_features},
                         {std::sqrt(squares), " of sample ", i});
  }
}

}  // namespace detail
}  // namespace diffsiam::eval
