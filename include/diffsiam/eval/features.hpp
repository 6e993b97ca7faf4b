// Features as measures take them: rows of floats in memory that is not ours, and a label for each.
#pragma once

#include <algorithm>
#include <cmath>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <diffsiam/core/error.hpp>
#include <diffsiam/core/function_ref.hpp>
#include <diffsiam/core/shape.hpp>
#include <diffsiam/core/thread_pool.hpp>

namespace diffsiam::eval {

/// values[i * dims + j]: feature j of sample i; (count, dims).
struct Features {
  std::span<float const> values;
  Index count = 0;
  Index dims = 0;

  [[nodiscard]] float const* row(Index i) const { return values.data() + i * dims; }
};

/// Features and labels[i] in [0, classes).
struct Labelled {
  Features features;
  std::span<int const> labels;
};

/// Throws ShapeError unless there are samples and dims and as many values as they say, NumericError for NaN
/// or infinity.
inline void require_features(std::string_view operation, Features const& features) {
  auto const size = static_cast<Index>(features.values.size());
  if (features.count < 1 || features.dims < 1 || size % features.dims != 0 ||
      size / features.dims != features.count)
    fail<ShapeError>(operation, "features (count, dims) of at least (1, 1), and as many values",
                     std::to_string(size) + " values for (" + std::to_string(features.count) + ", " +
                         std::to_string(features.dims) + ")");
  float const* const bad =
      std::find_if_not(features.values.data(), features.values.data() + features.values.size(),
                       [](float value) { return std::isfinite(value); });
  if (Index const at = bad - features.values.data(); at != size)
    fail<NumericError>(operation, "finite features",
                       std::to_string(*bad) + " in dimension " + std::to_string(at % features.dims) +
                           " of sample " + std::to_string(at / features.dims));
}

/// As require_features; besides ShapeError unless each sample has a label, RangeError for a label outside
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

/// `classes`, or the greatest of `labels` + 1 where it is 0. Throws RangeError unless two classes occur.
[[nodiscard]] inline int resolve_classes(std::string_view operation, int classes,
                                         std::span<int const> labels) {
  bool const several =
      std::adjacent_find(labels.begin(), labels.end(), std::not_equal_to<>()) != labels.end();
  if (!several)
    fail<RangeError>(operation, "training labels of at least two classes",
                     labels.empty() ? "no label" : "only " + std::to_string(labels.front()));
  return classes > 0 ? classes : std::max(*std::max_element(labels.begin(), labels.end()) + 1, 0);
}

namespace detail {

/// work(0 .. pieces-1), on the pool where there is one.
inline void for_pieces(ThreadPool* pool, Index pieces, FunctionRef<void(Index)> work) {
  if (pool != nullptr)
    pool->run(pieces, [&](Index piece, int) { work(piece); });
  else
    for (Index piece = 0; piece < pieces; ++piece) work(piece);
}

/// Piece `piece` of `count` rows cut into blocks of `block`.
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
