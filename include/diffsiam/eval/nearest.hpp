// nearest_neighbours: the exact nearest neighbours by cosine similarity. Products are computed in blocks, and
// the best k are kept.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <diffsiam/core/error.hpp>
#include <diffsiam/eval/features.hpp>
#include <diffsiam/eval/matrix.hpp>

namespace diffsiam::eval {

/// A neighbour: its row in the base features, and its similarity to the query.
struct Neighbour {
  Index index = 0;  ///< the row in the base, from 0
  /// Cosine, in [-1, 1], 0 if one of the vectors is zero; with Metric::euclidean, minus the distance.
  float similarity = 0;
};

/// The k nearest neighbours of each query, the nearest first; of equal ones the lower index first.
struct Neighbours {
  Index k = 0;                   ///< neighbours of each query
  std::vector<Neighbour> all{};  ///< (queries, k), row-major

  /// The neighbours of query i.
  [[nodiscard]] std::span<Neighbour const> of(Index i) const& {
    return std::span(all).subspan(static_cast<std::size_t>(i * k), static_cast<std::size_t>(k));
  }
  void of(Index i) const&& = delete;
};

namespace detail {

/// Rows scaled to length 1; rows of zeros stay zeros. Rows of zeros are added up to a multiple of `step`.
[[nodiscard]] inline RowMatrix unit_rows(Features const& features, Index step = 1) {
  RowMatrix result = RowMatrix::Zero(block_count(features.count, step) * step, features.dims);
  result.topRows(features.count) = rows_of(features, {0, features.count});
  for (Index i = 0; i < features.count; ++i) {
    double const norm = std::sqrt(result.row(i).cast<double>().squaredNorm());
    if (norm > 1e-30 && norm < 1e30)
      result.row(i) /= static_cast<float>(norm);
    else if (norm > 0)  // the norm is close to the limits of float
      result.row(i) = (result.row(i).cast<double>() / norm).cast<float>();
  }
  return result;
}

[[nodiscard]] inline bool nearer(Neighbour const& a, Neighbour const& b) {
  return a.similarity > b.similarity || (a.similarity == b.similarity && a.index < b.index);
}

/// Keeps the k nearest of the samples that it is offered: a heap with the worst one on top.
class NearestSoFar {
 public:
  explicit NearestSoFar(std::size_t k) : k_(k) { heap_.reserve(k); }

  /// Offers a sample. If indices ascend, the lower index stays of equal ones.
  void offer(Index index, float similarity) {
    if (heap_.size() == k_) {
      if (!(similarity > heap_.front().similarity)) return;
      std::pop_heap(heap_.begin(), heap_.end(), nearer);
      heap_.pop_back();
    }
    heap_.push_back({index, similarity});
    std::push_heap(heap_.begin(), heap_.end(), nearer);
  }
  /// Writes the samples that were kept to `out`, the nearest first.
  void sort_to(std::vector<Neighbour>::iterator out) {
    std::sort_heap(heap_.begin(), heap_.end(), nearer);
    std::copy(heap_.begin(), heap_.end(), out);
  }

 private:
  std::size_t k_;
  std::vector<Neighbour> heap_;
};

/// Throws ShapeError if queries have other dims than `dims`, RangeError for k outside [1, count], and as
/// require_features.
inline void require_queries(std::string_view operation, Features const& queries, Index k, Index count,
                            Index dims) {
  require_features(operation, queries);
  if (dims != queries.dims)
    fail<ShapeError>(operation, "queries of " + std::to_string(dims) + " dims", queries.dims);
  if (k < 1 || k > count) fail<RangeError>(operation, "k in [1, " + std::to_string(count) + "]", k);
}

/// Products of equal rows have equal bits only if the same kernel computes them. Eigen has other kernels for
/// incomplete panels, so all panels must be complete. Its panels have 12, 24 or 48 rows.
inline constexpr Index product_panel = 48;

/// The k nearest by cosine. `base_units` has the unit_rows of `count` samples and rows of zeros up to a
/// multiple of product_panel; `query_units` has the unit_rows of the queries.
[[nodiscard]] inline Neighbours nearest_of_units(RowMatrix const& base_units, Index count,
                                                 RowMatrix const& query_units, Index k, ThreadPool* pool) {
  constexpr Index query_block = 256, panel = product_panel, base_block = 21 * panel;
  Index const queries = query_units.rows();
  auto const size = static_cast<std::size_t>(k);
  Neighbours result{.k = k, .all = std::vector<Neighbour>(static_cast<std::size_t>(queries) * size)};
  for_pieces(pool, block_count(queries, query_block), [&](Index piece) {
    auto const [begin, rows] = row_block(queries, query_block, piece);
    RowMatrix similarities;
    std::vector<NearestSoFar> best;
    best.reserve(static_cast<std::size_t>(rows));
    for (Index i = 0; i < rows; ++i) best.emplace_back(size);
    for (Index part = 0; part < block_count(count, base_block); ++part) {
      auto const [from, width] = row_block(count, base_block, part);
      similarities.noalias() = query_units.middleRows(begin, rows) *
                               base_units.middleRows(from, block_count(width, panel) * panel).transpose();
      for (Index i = 0; i < rows; ++i) {
        NearestSoFar& nearest = best[static_cast<std::size_t>(i)];
        float const* const row = similarities.data() + i * similarities.cols();
        for (Index j = 0; j < width; ++j)
          nearest.offer(from + j, std::clamp(row[j], -1.0F, 1.0F));  // equal rows may round to more than 1
      }
    }
    for (Index i = 0; i < rows; ++i)
      best[static_cast<std::size_t>(i)].sort_to(result.all.begin() + (begin + i) * k);
  });
  return result;
}

}  // namespace detail

/// The k samples of `base` that are nearest to each query by cosine. Throws ShapeError if the dims differ,
/// RangeError for k outside [1, base.count], and as require_features. `pool` may be null. To search the same
/// base often, use ExactIndex.
[[nodiscard]] inline Neighbours nearest_neighbours(Features const& base, Features const& queries, Index k,
                                                   ThreadPool* pool = nullptr) {
  require_features("nearest_neighbours", base);
  detail::require_queries("nearest_neighbours", queries, k, base.count, base.dims);
  return detail::nearest_of_units(detail::unit_rows(base, detail::product_panel), base.count,
                                  detail::unit_rows(queries), k, pool);
}

}  // namespace diffsiam::eval
