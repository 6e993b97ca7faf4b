// Features: rows of floats in borrowed memory, with a label for each row if needed, and checks of both.
#pragma once

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <diffsiam/core/error.hpp>
#include <diffsiam/core/function_ref.hpp>
#include <diffsiam/core/shape.hpp>
#include <diffsiam/core/thread_pool.hpp>

namespace diffsiam::eval {

/// values[i * dims + j] is feature j of sample i; (count, dims).
/// `values` are borrowed: `count` samples of `dims` features.
struct Features {
  std::span<float const> values;
  Index count = 0;
  Index dims = 0;

  /// The dims values of sample i.
  [[nodiscard]] float const* row(Index i) const { return values.data() + i * dims; }
};

/// Features and labels[i] in [0, classes).
/// `features` and `labels` are of the same samples in the same order.
struct Labelled {
  Features features;
  std::span<int const> labels;
};

/// Throws ShapeError unless there are samples, dims and the right number of values.
inline void require_feature_shape(std::string_view operation, Features const& features) {
  auto const size = static_cast<Index>(features.values.size());
  if (features.count < 1 || features.dims < 1 || size % features.dims != 0 ||
      size / features.dims != features.count)
    fail<ShapeError>(operation, "features (count, dims) of at least (1, 1), and as many values",
                     std::to_string(size) + " values for (" + std::to_string(features.count) + ", " +
                         std::to_string(features.dims) + ")");
}

namespace detail {

/// Tests bits, because a loop without an early exit is vectorised.
[[nodiscard]] inline bool all_finite(std::span<float const> values) {
  constexpr std::uint32_t exponent = 0x7F800000U;
  std::uint32_t bad = 0;
  for (float const value : values)
    bad |= (std::bit_cast<std::uint32_t>(value) & exponent) == exponent ? 1U : 0U;
  return bad == 0;
}

}  // namespace detail

/// Throws NumericError if `values`, rows of `width`, contain NaN or infinity. `expected` describes the
/// values.
inline void require_finite(std::string_view operation, Text const& expected, std::span<float const> values,
                           Index width, Text const& hint = no_hint) {
  if (detail::all_finite(values)) return;
  auto const bad =
      std::find_if_not(values.begin(), values.end(), [](float value) { return std::isfinite(value); });
  Index const at = bad - values.begin();
  fail<NumericError>(operation, expected,
                     std::to_string(*bad) + " in dimension " + std::to_string(at % width) + " of sample " +
                         std::to_string(at / width),
                     hint);
}

/// Throws as require_feature_shape, and NumericError for features that are not finite.
inline void require_features(std::string_view operation, Features const& features) {
  require_feature_shape(operation, features);
  require_finite(operation, "finite features", features.values, features.dims);
}

/// Throws as require_features, ShapeError unless each sample has a label, and RangeError for a label outside
/// [0, classes).
inline void require_labelled(std::string_view operation, Labelled const& data, int classes) {
  require_features(operation, data.features);
  if (static_cast<Index>(data.labels.size()) != data.features.count)
    fail<ShapeError>(operation, std::to_string(data.features.count) + " labels, one for each sample",
                     data.labels.size());
  for (std::size_t i = 0; i < data.labels.size(); ++i)
    if (data.labels[i] < 0 || data.labels[i] >= classes)
      fail<RangeError>(operation, "labels in [0, " + std::to_string(classes) + ")",
                       std::to_string(data.labels[i]) + " of sample " + std::to_string(i));
}

/// Throws ShapeError if the dims differ.
inline void require_same_dims(std::string_view operation, Features const& train, Features const& other) {
  if (other.dims != train.dims)
    fail<ShapeError>(operation, {train.dims, " dims, as the training features"}, other.dims);
}

/// Sorts the strengths or weight decays of a fit from the largest to the smallest. `what` names them. Throws
/// ConfigError if there are none, or if one is negative or not finite.
[[nodiscard]] inline std::vector<double> sorted_penalties(std::string_view operation, std::string_view what,
                                                          std::vector<double> penalties) {
  if (penalties.empty()) fail<ConfigError>(operation, {"one or more ", what}, "none");
  for (double const penalty : penalties)
    if (!(penalty >= 0) || std::isinf(penalty))
      fail<ConfigError>(operation, {what, " of at least 0"}, penalty);
  std::sort(penalties.begin(), penalties.end(), std::greater<>());
  return penalties;
}

/// The most classes of a classifier, so that a wrong label does not take all memory.
inline constexpr int most_classes = 1 << 20;

/// `classes`, or the largest label + 1 if it is 0. Throws RangeError unless at least two classes occur and
/// all are below most_classes, ConfigError for `classes` outside [0, most_classes].
[[nodiscard]] inline int resolve_classes(std::string_view operation, int classes,
                                         std::span<int const> labels) {
  if (classes < 0 || classes > most_classes)
    fail<ConfigError>(operation, {"classes in [0, ", most_classes, "]"}, classes);
  bool const several =
      std::adjacent_find(labels.begin(), labels.end(), std::not_equal_to<>()) != labels.end();
  if (!several)
    fail<RangeError>(operation, "training labels of at least two classes",
                     labels.empty() ? "no label" : "only " + std::to_string(labels.front()));
  if (classes > 0) return classes;
  int const greatest = *std::max_element(labels.begin(), labels.end());
  if (greatest >= most_classes) fail<RangeError>(operation, {"labels below ", most_classes}, greatest);
  return std::max(greatest + 1, 0);
}

namespace detail {

/// Whether a spread, such as a standard deviation, is only rounding of floats around `centre`: at most 1e-6
/// of it, or below 1e-30.
[[nodiscard]] inline bool is_rounding(double spread, double centre) {
  return spread <= 1e-6 * std::abs(centre) || spread < 1e-30;
}

/// Calls work(0 .. pieces-1), on the pool if there is one.
inline void for_pieces(ThreadPool* pool, Index pieces, FunctionRef<void(Index)> work) {
  if (pool != nullptr)
    pool->run(pieces, [&](Index piece, int) { work(piece); });
  else
    for (Index piece = 0; piece < pieces; ++piece) work(piece);
}

/// Block number `piece` of `count` rows that are divided into blocks of `block` rows.
struct RowBlock {
  Index begin, rows;
};
[[nodiscard]] constexpr Index block_count(Index count, Index block) {
  return (count + block - 1) / block;
}
[[nodiscard]] constexpr RowBlock row_block(Index count, Index block, Index piece) {
  Index const begin = piece * block;
  return {begin, std::min(block, count - begin)};
}

}  // namespace detail
}  // namespace diffsiam::eval
