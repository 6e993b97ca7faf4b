// nearest_neighbours: the exact nearest neighbours by cosine similarity. Products are computed in blocks, and
// the best k are kept.
#pragma once

#include <algorithm>
#include <cmath>
#include <span>
#include <string>
#include <vector>

#include <diffsiam/core/error.hpp>
#include <diffsiam/eval/features.hpp>
#include <diffsiam/eval/matrix.hpp>

namespace diffsiam::eval {

/// A neighbour: its row in the base features, and its similarity to the query.
struct Neighbour {
  Index index = 0;
  float similarity = 0;  ///< cosine, in [-1, 1]; 0 if one of the vectors is zero
};

/// The k nearest neighbours of each query, the nearest first; of equal ones the lower index first.
struct Neighbours {
  Index k = 0;
  std::vector<Neighbour> all{};

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

}  // namespace detail

/// The k samples of `base` that are nearest to each query. Throws ShapeError if the dims differ, RangeError
/// for k outside [1, base.count], and as require_features. `pool` may be null.
[[nodiscard]] inline Neighbours nearest_neighbours(Features const& base, Features const& queries, Index k,
                                                   ThreadPool* pool = nullptr) {
  require_features("nearest_neighbours", base);
  require_features("nearest_neighbours", queries);
  if (base.dims != queries.dims)
    fail<ShapeError>("nearest_neighbours", "queries of " + std::to_string(base.dims) + " dims", queries.dims);
  if (k < 1 || k > base.count)
    fail<RangeError>("nearest_neighbours", "k in [1, " + std::to_string(base.count) + "]", k);
  // Products of equal rows have equal bits only if the same kernel computes them. Eigen has other kernels for
  // incomplete panels, so all panels must be complete. Its panels have 12, 24 or 48 rows.
  constexpr Index query_block = 256, panel = 48, base_block = 21 * panel;
  detail::RowMatrix const base_units = detail::unit_rows(base, panel);
  detail::RowMatrix const query_units = detail::unit_rows(queries);
  auto const size = static_cast<std::size_t>(k);
  Neighbours result{.k = k, .all = std::vector<Neighbour>(static_cast<std::size_t>(queries.count) * size)};

  detail::for_pieces(pool, detail::block_count(queries.count, query_block), [&](Index piece) {
    auto const [begin, rows] = detail::row_block(queries.count, query_block, piece);
    detail::RowMatrix similarities;
    // A heap for each query, with the worst neighbour on top.
    std::vector<std::vector<Neighbour>> best(static_cast<std::size_t>(rows));
    for (std::vector<Neighbour>& heap : best) heap.reserve(size);
    for (Index part = 0; part < detail::block_count(base.count, base_block); ++part) {
      auto const [from, width] = detail::row_block(base.count, base_block, part);
      similarities.noalias() =
          query_units.middleRows(begin, rows) *
          base_units.middleRows(from, detail::block_count(width, panel) * panel).transpose();
      for (Index i = 0; i < rows; ++i) {
        std::vector<Neighbour>& heap = best[static_cast<std::size_t>(i)];
        float const* const row = similarities.data() + i * similarities.cols();
        for (Index j = 0; j < width; ++j) {
          float const similarity = std::clamp(row[j], -1.0F, 1.0F);  // equal rows may round to more than 1
          if (heap.size() == size) {
            if (!(similarity > heap.front().similarity)) continue;
            std::pop_heap(heap.begin(), heap.end(), detail::nearer);
            heap.pop_back();
          }
          heap.push_back({from + j, similarity});
          std::push_heap(heap.begin(), heap.end(), detail::nearer);
        }
      }
    }
    for (Index i = 0; i < rows; ++i) {
      std::vector<Neighbour>& heap = best[static_cast<std::size_t>(i)];
      std::sort_heap(heap.begin(), heap.end(), detail::nearer);
      std::copy(heap.begin(), heap.end(), result.all.begin() + (begin + i) * k);
    }
  });
  return result;
}

}  // namespace diffsiam::eval
