// HnswIndex: approximate nearest neighbours. A search follows links in a graph of near features, so its time
// grows with the logarithm of their number. Malkov and Yashunin, arXiv 1603.09320; hnswlib builds the graph.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <diffsiam/core/error.hpp>
#include <diffsiam/eval/features.hpp>
#include <diffsiam/eval/hnsw_format.hpp>
#include <diffsiam/eval/hnsw_graph.hpp>
#include <diffsiam/eval/matrix.hpp>
#include <diffsiam/eval/metric.hpp>
#include <diffsiam/eval/nearest.hpp>
#include <diffsiam/eval/neighbour_index.hpp>
#include <diffsiam/io/crc32c.hpp>
#include <diffsiam/io/safetensors.hpp>

namespace diffsiam::eval {

/// How the graph is built and searched.
struct HnswConfig {
  Metric metric = Metric::cosine;  ///< by what neighbours are near
  int m = 16;                 ///< links of a feature in each layer, twice as many in the lowest; [2, 10000]
  int ef_construction = 200;  ///< candidates that are kept while a feature is linked; at least 1
  int ef_search = 100;  ///< candidates that are kept in a search; with more, it finds more and takes longer
  std::uint64_t seed = 100;  ///< decides which features are in the upper layers
};

/// HnswIndex const index{{z, count, 64}, {.metric = Metric::euclidean}};
/// Neighbours const found = index.search(queries, 10);
/// index.save("z.hnsw");  // HnswIndex::load("z.hnsw")
class HnswIndex {
 public:
  /// Builds the graph on one thread. It depends on the order in which features are added, and with several
  /// threads the same seed would not give the same graph. Throws ConfigError for settings out of range,
  /// ShapeError for no features or 2^31 and more, NumericError if a feature is not finite or, with
  /// Metric::euclidean, longer than 1e18.
  explicit HnswIndex(Features const& base, HnswConfig const& config = {}) {
    constexpr std::string_view operation = "HnswIndex";
    require_features(operation, base);
    if (config.m < 2 || config.m > 10'000) fail<ConfigError>(operation, "m in [2, 10000]", config.m);
    if (config.ef_construction < 1)
      fail<ConfigError>(operation, "ef_construction of at least 1", config.ef_construction);
    auto const count = static_cast<std::size_t>(base.count);
    if (count > detail::most_hnsw_vectors) fail<ShapeError>(operation, "less than 2^31 features", count);
    if (config.metric == Metric::euclidean) detail::require_lengths(operation, base);
    graph_ = detail::make_hnsw_graph(operation,
                                     {.metric = config.metric,
                                      .dims = static_cast<std::size_t>(base.dims),
                                      .count = count,
                                      .m = static_cast<std::size_t>(config.m),
                                      .ef_construction = static_cast<std::size_t>(config.ef_construction)},
                                     config.seed);
    set_ef_search(config.ef_search);
    detail::RowMatrix const rows = compared(base);
    detail::in_hnswlib(operation, [&] {
      for (Index i = 0; i < base.count; ++i)
        graph_->links.addPoint(rows.data() + i * base.dims, static_cast<std::size_t>(i));
    });
  }

  /// Reads an index that save() wrote. The whole file is checked before hnswlib gets it. Throws FileError if
  /// it is missing, truncated, changed, or not an index; ConfigError for ef_search below 1.
  [[nodiscard]] static HnswIndex load(std::filesystem::path const& path,
                                      int ef_search = HnswConfig{}.ef_search) {
    constexpr std::string_view operation = "HnswIndex::load";
    auto const file = io::SafetensorsFile::read(path);
    std::string const shown = io::detail::quoted(path);
    auto const found = [&](char const* key) -> std::string {
      auto const entry = file.metadata().find(key);
      return entry == file.metadata().end() ? "none" : entry->second;
    };
    auto const require = [&](char const* key, std::string const& expected) {
      if (found(key) != expected)
        fail<FileError>(operation, {key, " = ", expected, " in the metadata of ", shown},
                        io::detail::shown_text(found(key)));
    };
    require("format", std::string(format));
    require("version", std::string(version));
    Metric const metric =
        found("metric") == metric_name(Metric::euclidean) ? Metric::euclidean : Metric::cosine;
    require("metric", std::string(metric_name(metric)));
    auto const bytes = file.bytes("graph");
    require("crc32c", checksum(bytes));
    HnswIndex index{detail::HnswDecoder{bytes, metric, shown}.decode()};
    require("count", std::to_string(index.count()));
    require("dims", std::to_string(index.dims()));
    index.set_ef_search(ef_search);
    return index;
  }

  /// Writes the index as safetensors and replaces `path` atomically. The tensor `graph` has the bytes of
  /// hnswlib's own format; the metadata have metric, count, dims and checksum. Throws FileError; the old file
  /// is unchanged then.
  void save(std::filesystem::path const& path) const {
    std::vector<std::uint8_t> const bytes = detail::encode_hnsw(*graph_);
    io::SafetensorsWriter writer;
    writer.metadata("format", std::string(format));
    writer.metadata("version", std::string(version));
    writer.metadata("metric", std::string(metric_name(metric())));
    writer.metadata("count", std::to_string(count()));
    writer.metadata("dims", std::to_string(dims()));
    writer.metadata("crc32c", checksum(std::as_bytes(std::span(bytes))));
    writer.add("graph", io::Dtype::U8, {static_cast<std::int64_t>(bytes.size())}, bytes);
    writer.write(path);
  }

  [[nodiscard]] Index count() const { return static_cast<Index>(graph_->shape.count); }
  /// The width of the features and of queries.
  [[nodiscard]] Index dims() const { return static_cast<Index>(graph_->shape.dims); }
  [[nodiscard]] Metric metric() const { return graph_->shape.metric; }

  /// Sets HnswConfig::ef_search. Throws ConfigError for a number below 1.
  void set_ef_search(int ef_search) {
    if (ef_search < 1) fail<ConfigError>("HnswIndex", "ef_search of at least 1", ef_search);
    graph_->links.setEf(static_cast<std::size_t>(ef_search));
  }

  /// k neighbours of each query, most of them the nearest. If the graph leads to fewer than k, which can
  /// happen among many equal features, the query is compared with all features. Throws as ExactIndex::search.
  /// `pool` may be null; the result does not depend on it. Several threads may search at the same time.
  [[nodiscard]] Neighbours search(Features const& queries, Index k, ThreadPool* pool = nullptr) const {
    constexpr std::string_view operation = "HnswIndex::search";
    detail::require_queries(operation, queries, k, count(), dims());
    if (metric() == Metric::euclidean) detail::require_lengths(operation, queries);
    detail::RowMatrix const rows = compared(queries);
    auto const size = static_cast<std::size_t>(k);
    Neighbours result{.k = k, .all = std::vector<Neighbour>(static_cast<std::size_t>(queries.count) * size)};
    constexpr Index block = 16;
    detail::for_pieces(pool, detail::block_count(queries.count, block), [&](Index piece) {
      auto const [begin, number] = detail::row_block(queries.count, block, piece);
      for (Index i = begin; i < begin + number; ++i) {
        detail::NearestSoFar nearest = candidates(rows.data() + i * dims(), size);
        nearest.sort_to(result.all.begin() + i * k);
      }
    });
    return result;
  }

 private:
  static constexpr std::string_view format = "diffsiam.hnsw", version = "1";

  explicit HnswIndex(std::unique_ptr<detail::HnswGraph> graph) : graph_(std::move(graph)) {}

  /// The rows as the graph has them: for cosine of length 1.
  [[nodiscard]] detail::RowMatrix compared(Features const& features) const {
    return metric() == Metric::cosine ? detail::unit_rows(features)
                                      : detail::RowMatrix{detail::rows_of(features, {0, features.count})};
  }
  /// The similarity for a distance in the graph.
  [[nodiscard]] float similarity(float distance) const {
    return metric() == Metric::cosine ? std::clamp(-distance, -1.0F, 1.0F) : -std::sqrt(distance);
  }

  [[nodiscard]] detail::NearestSoFar candidates(float const* query, std::size_t k) const {
    auto found = detail::in_hnswlib("HnswIndex::search", [&] { return graph_->links.searchKnn(query, k); });
    detail::NearestSoFar nearest{k};
    if (found.size() == k) {
      for (; !found.empty(); found.pop())
        nearest.offer(static_cast<Index>(found.top().second), similarity(found.top().first));
    } else {
      for (std::size_t i = 0; i < graph_->shape.count; ++i)
        nearest.offer(static_cast<Index>(i), similarity(graph_->distance(query, i)));
    }
    return nearest;
  }

  [[nodiscard]] static std::string checksum(std::span<std::byte const> bytes) {
    std::array<char, 16> digits{};
    std::snprintf(digits.data(), digits.size(), "%08x", io::crc32c(bytes));
    return digits.data();
  }

  std::unique_ptr<detail::HnswGraph> graph_;
};

static_assert(NeighbourSearch<HnswIndex>);

}  // namespace diffsiam::eval
