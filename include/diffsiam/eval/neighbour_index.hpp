// NeighbourIndex: one interface for nearest neighbours, exact or approximate, by all dims or by chosen
// subsets of z. An index is built once and searched often.
#pragma once

#include <concepts>
#include <cstddef>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include <diffsiam/core/error.hpp>
#include <diffsiam/eval/columns.hpp>
#include <diffsiam/eval/exact_index.hpp>
#include <diffsiam/eval/features.hpp>
#include <diffsiam/eval/nearest.hpp>

namespace diffsiam::eval {

/// Satisfied if and only if I holds count() samples of dims() values, and search(queries, k, pool) returns
/// the k nearest of each query. The result does not depend on the pool, and several threads may search at the
/// same time. Models: ExactIndex, HnswIndex, NeighbourIndex, and your own.
template <class I>
concept NeighbourSearch =
    std::movable<I> && requires(I const& index, Features const& queries, Index k, ThreadPool* pool) {
      { index.count() } -> std::convertible_to<Index>;
      { index.dims() } -> std::convertible_to<Index>;
      { index.search(queries, k, pool) } -> std::same_as<Neighbours>;
    };

/// A handle: copies share the index. A query is a whole row of z, also if only some columns are compared:
///
///     Columns const coarse = Columns::of(encoder.partition(), {14, 15});
///     auto const index = NeighbourIndex::over<HnswIndex>({z, count, 64}, coarse, HnswConfig{.seed = 1});
///     Neighbours const alike = index.search({query, 1, 64}, 9);
class NeighbourIndex {
 public:
  /// Throws ShapeError if the index does not have columns.width() dims.
  template <NeighbourSearch I>
  NeighbourIndex(I index, Columns columns) : columns_(std::move(columns)), count_(index.count()) {
    if (index.dims() != columns_.width())
      fail<ShapeError>("NeighbourIndex", {"an index of ", columns_.width(), " dims, as there are columns"},
                       index.dims());
    search_ = [held = std::make_shared<I const>(std::move(index))](Features const& queries, Index k,
                                                                   ThreadPool* pool) {
      return held->search(queries, k, pool);
    };
  }
  /// Compares all columns.
  template <class I>
    requires(!std::same_as<I, NeighbourIndex> && NeighbourSearch<I>)
  explicit NeighbourIndex(I index) : NeighbourIndex(index_and_all(std::move(index))) {}

  /// Builds an I, such as ExactIndex, of these columns of z; `config` are the other arguments of its
  /// constructor. Throws what they and Columns::gather throw.
  template <NeighbourSearch I, class... Config>
  [[nodiscard]] static NeighbourIndex over(Features const& z, Columns const& columns,
                                           Config const&... config) {
    std::vector<float> const part = columns.gather(z);
    return {I{Features{part, z.count, columns.width()}, config...}, columns};
  }

  [[nodiscard]] Index count() const { return count_; }
  /// The dims of a query.
  [[nodiscard]] Index dims() const { return columns_.dims(); }
  [[nodiscard]] Columns const& columns() const& { return columns_; }
  [[nodiscard]] Columns columns() const&& { return columns_; }

  /// The k nearest neighbours of each query by the columns of this index. Throws ShapeError if the queries do
  /// not have dims() values, and what the index throws.
  [[nodiscard]] Neighbours search(Features const& queries, Index k, ThreadPool* pool = nullptr) const {
    if (columns_.width() == columns_.dims()) return search_(queries, k, pool);
    std::vector<float> const part = columns_.gather(queries);
    return search_({part, queries.count, columns_.width()}, k, pool);
  }

 private:
  template <class I>
  [[nodiscard]] static NeighbourIndex index_and_all(I index) {
    Columns columns = Columns::all(index.dims());
    return {std::move(index), std::move(columns)};
  }

  Columns columns_;
  Index count_;
  std::function<Neighbours(Features const&, Index, ThreadPool*)> search_;
};

static_assert(NeighbourSearch<ExactIndex>);
static_assert(NeighbourSearch<NeighbourIndex>);

}  // namespace diffsiam::eval
