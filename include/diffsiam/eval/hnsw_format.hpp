// The bytes of a graph in the format of hnswlib's saveIndex and loadIndex. hnswlib trusts its files; here
// every number is checked before it is used. An inside of HnswIndex.
//
//   header
//   for each feature: its links in the lowest layer, its values, its label
//   for each feature: a size in bytes, its links in the layers above
//
// Links are their number as u32, then room for maxM0 (lowest layer) or maxM links. All numbers are
// little-endian.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <new>
#include <span>
#include <string_view>
#include <vector>

#include <diffsiam/core/error.hpp>
#include <diffsiam/eval/hnsw_graph.hpp>
#include <diffsiam/eval/metric.hpp>

namespace diffsiam::eval::detail {

/// The numbers at the beginning, in the order of saveIndex.
struct HnswHeader {
  std::uint64_t offset_level_0, max_elements, count, element_size, label_offset, data_offset;
  std::int32_t max_level;
  std::uint32_t entry_point;
  std::uint64_t max_m, max_m_0, m;
  double level_scale;
  std::uint64_t ef_construction;
};
static_assert(sizeof(HnswHeader) == 96 && sizeof(std::size_t) == 8 && sizeof(hnswlib::labeltype) == 8 &&
                  std::endian::native == std::endian::little,
              "files of hnswlib are those of a little-endian machine with 64 bits");

/// The size of the links of a feature in one layer: their number, and room for `m` of them.
[[nodiscard]] constexpr std::size_t hnsw_link_bytes(std::size_t m) {
  return sizeof(std::uint32_t) * (m + 1);
}

/// The bytes that saveIndex writes for a complete graph.
[[nodiscard]] inline std::vector<std::uint8_t> encode_hnsw(HnswGraph const& graph) {
  auto const& links = graph.links;
  std::vector<std::uint8_t> bytes;
  auto const put = [&](void const* data, std::size_t size) {
    auto const* const first = static_cast<std::uint8_t const*>(data);
    bytes.insert(bytes.end(), first, first + size);
  };
  HnswHeader const header{links.offsetLevel0_,
                          links.max_elements_,
                          links.cur_element_count,
                          links.size_data_per_element_,
                          links.label_offset_,
                          links.offsetData_,
                          links.maxlevel_,
                          links.enterpoint_node_,
                          links.maxM_,
                          links.maxM0_,
                          links.M_,
                          links.mult_,
                          links.ef_construction_};
  put(&header, sizeof header);
  put(links.data_level0_memory_, links.cur_element_count * links.size_data_per_element_);
  for (std::size_t i = 0; i < links.cur_element_count; ++i) {
    auto const size = static_cast<std::uint32_t>(links.size_links_per_element_ *
                                                 static_cast<std::size_t>(links.element_levels_[i]));
    put(&size, sizeof size);
    if (size > 0) put(links.linkLists_[i], size);
  }
  return bytes;
}

/// Reads and checks the bytes of a graph. Every error is a FileError that names the file.
class HnswDecoder {
 public:
  HnswDecoder(std::span<std::byte const> bytes, Metric metric, std::string_view file)
      : rest_(bytes), metric_(metric), file_(file) {}

  [[nodiscard]] std::unique_ptr<HnswGraph> decode() {
    HnswHeader header;
    std::memcpy(&header, take(sizeof header).data(), sizeof header);
    HnswShape const shape = shape_of(header);
    auto const level_0 = take(shape.count * header.element_size);
    std::vector<std::span<std::byte const>> above(shape.count);
    for (auto& links : above) {
      std::uint32_t size = 0;
      std::memcpy(&size, take(sizeof size).data(), sizeof size);
      links = take(size);
    }
    require(rest_.empty(), "nothing behind the links");
    check_links(header, level_0, above);

    auto graph = make_hnsw_graph(operation, shape, 0);
    auto& target = graph->links;
    std::memcpy(target.data_level0_memory_, level_0.data(), level_0.size());
    target.cur_element_count = shape.count;  // none of them has upper links yet
    for (std::size_t i = 0; i < shape.count; ++i) {
      if (above[i].empty()) continue;
      target.linkLists_[i] = static_cast<char*>(std::malloc(above[i].size()));
      if (target.linkLists_[i] == nullptr) throw std::bad_alloc();
      std::memcpy(target.linkLists_[i], above[i].data(), above[i].size());
      target.element_levels_[i] = static_cast<int>(above[i].size() / hnsw_link_bytes(shape.m));
    }
    target.maxlevel_ = header.max_level;
    target.enterpoint_node_ = header.entry_point;
    return graph;
  }

 private:
  static constexpr std::string_view operation = "HnswIndex::load";

  void require(bool holds, Text const& expected) const {
    if (!holds) fail<FileError>(operation, {expected, " in ", file_}, "another graph", "a broken file?");
  }
  [[nodiscard]] std::span<std::byte const> take(std::size_t size) {
    if (size > rest_.size())
      fail<FileError>(operation, {size, " further bytes of the graph in ", file_}, rest_.size(),
                      "truncated?");
    auto const taken = rest_.first(size);
    rest_ = rest_.subspan(size);
    return taken;
  }

  /// The numbers of the header must be those that hnswlib computes from m, dims and count.
  [[nodiscard]] HnswShape shape_of(HnswHeader const& header) const {
    constexpr std::uint64_t most_m = 10'000, most_dims = 1U << 28U;
    require(header.m >= 2 && header.m <= most_m && header.max_m == header.m && header.max_m_0 == 2 * header.m,
            "2 to 10000 links of a vector");
    require(header.offset_level_0 == 0 && header.data_offset == hnsw_link_bytes(header.max_m_0) &&
                header.label_offset > header.data_offset &&
                header.label_offset - header.data_offset <= most_dims * sizeof(float) &&
                (header.label_offset - header.data_offset) % sizeof(float) == 0 &&
                header.element_size == header.label_offset + sizeof(hnswlib::labeltype),
            "links, values and label of each vector one behind another");
    require(header.count >= 1 && header.count <= most_hnsw_vectors && header.max_elements >= header.count &&
                header.count <= rest_.size() / header.element_size,
            "as many vectors as there are bytes for");
    require(header.max_level >= 0 && header.entry_point < header.count, "a vector to begin at");
    require(header.ef_construction >= 1 && header.ef_construction <= most_hnsw_vectors,
            "1 candidate or more while the graph was built");
    return {.metric = metric_,
            .dims = (header.label_offset - header.data_offset) / sizeof(float),
            .count = header.count,
            .m = header.m,
            .ef_construction = header.ef_construction};
  }

  /// Checks that every link leads to another feature of the same layer, and that label i stands at feature i.
  void check_links(HnswHeader const& header, std::span<std::byte const> level_0,
                   std::span<std::span<std::byte const> const> above) const {
    std::size_t const each = hnsw_link_bytes(header.m);
    auto const layers_of = [&](std::size_t i) { return above[i].size() / each; };
    for (std::size_t i = 0; i < above.size(); ++i)
      require(above[i].size() % each == 0 && layers_of(i) <= static_cast<std::size_t>(header.max_level),
              "whole layers of links");
    require(layers_of(header.entry_point) == static_cast<std::size_t>(header.max_level),
            "a vector to begin at in the highest layer");
    auto const check = [&](std::size_t i, std::span<std::byte const> links, std::size_t most,
                           std::size_t layer) {
      std::uint32_t number = 0;
      std::memcpy(&number, links.data(), sizeof number);
      require(number <= most, {"at most ", most, " links of a vector"});
      for (std::uint32_t k = 1; k <= number; ++k) {
        std::uint32_t to = 0;
        std::memcpy(&to, links.data() + sizeof to * k, sizeof to);
        require(to < above.size() && to != i && layers_of(to) >= layer,
                "links to other vectors of the layer");
      }
    };
    std::vector<float> values((header.label_offset - header.data_offset) / sizeof(float));
    for (std::size_t i = 0; i < above.size(); ++i) {
      auto const element = level_0.subspan(i * header.element_size, header.element_size);
      check(i, element, header.max_m_0, 0);
      for (std::size_t layer = 1; layer <= layers_of(i); ++layer)
        check(i, above[i].subspan((layer - 1) * each, each), header.max_m, layer);
      std::uint64_t label = 0;
      std::memcpy(&label, element.data() + header.label_offset, sizeof label);
      require(label == i, "labels that count the vectors");
      std::memcpy(values.data(), element.data() + header.data_offset, values.size() * sizeof(float));
      double squares = 0;
      for (float const value : values) squares += static_cast<double>(value) * static_cast<double>(value);
      require(squares <= longest_features * longest_features, "vectors that distances can be computed of");
    }
  }

  std::span<std::byte const> rest_;
  Metric metric_;
  std::string_view file_;
};

}  // namespace diffsiam::eval::detail
