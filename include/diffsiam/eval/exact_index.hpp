// ExactIndex: exact nearest neighbours. Each search compares the queries with all features.
#pragma once

#include <cmath>
#include <cstddef>
#include <utility>
#include <vector>

#include <diffsiam/eval/features.hpp>
#include <diffsiam/eval/matrix.hpp>
#include <diffsiam/eval/metric.hpp>
#include <diffsiam/eval/nearest.hpp>

namespace diffsiam::eval {

/// ExactIndex const index{{z, count, 64}};
/// Neighbours const found = index.search(queries, 10);
/// int const label = labels[found.of(0)[0].index];  // of the nearest neighbour of the first query
class ExactIndex {
 public:
  /// Copies the features. Throws ShapeError if there are none, NumericError if a feature is not finite or,
  /// with Metric::euclidean, longer than 1e18.
  explicit ExactIndex(Features const& base, Metric metric = Metric::cosine)
      : metric_(metric), count_(base.count) {
    require_features("ExactIndex", base);
    if (metric == Metric::euclidean) {
      detail::require_lengths("ExactIndex", base);
      rows_ = detail::rows_of(base, {0, base.count});
    } else {
      rows_ = detail::unit_rows(base, detail::product_panel);
    }
  }

  /// The number of features in the index.
  [[nodiscard]] Index count() const { return count_; }
  /// The width of the features and of queries.
  [[nodiscard]] Index dims() const { return rows_.cols(); }
  /// By what neighbours are near.
  [[nodiscard]] Metric metric() const { return metric_; }

  /// The k nearest neighbours of each query. Throws ShapeError if the queries have other dims, RangeError for
  /// k outside [1, count()], NumericError as the constructor does. `pool` may be null; the result does not
  /// depend on it. Several threads may search at the same time.
  [[nodiscard]] Neighbours search(Features const& queries, Index k, ThreadPool* pool = nullptr) const {
    detail::require_queries("ExactIndex::search", queries, k, count_, dims());
    if (metric_ == Metric::cosine)
      return detail::nearest_of_units(rows_, count_, detail::unit_rows(queries), k, pool);

    detail::require_lengths("ExactIndex::search", queries);
    constexpr Index block = 16;
    auto const size = static_cast<std::size_t>(k), width = static_cast<std::size_t>(dims());
    Neighbours result{.k = k, .all = std::vector<Neighbour>(static_cast<std::size_t>(queries.count) * size)};
    detail::for_pieces(pool, detail::block_count(queries.count, block), [&](Index piece) {
      auto const [begin, rows] = detail::row_block(queries.count, block, piece);
      for (Index i = begin; i < begin + rows; ++i) {
        detail::NearestSoFar nearest{size};
        for (Index j = 0; j < count_; ++j)
          nearest.offer(
              j, -std::sqrt(detail::squared_distance(queries.row(i), rows_.data() + j * dims(), width)));
        nearest.sort_to(result.all.begin() + i * k);
      }
    });
    return result;
  }

 private:
  Metric metric_;
  Index count_;
  detail::RowMatrix rows_;  ///< for cosine of length 1, followed by rows of zeros
};

}  // namespace diffsiam::eval
