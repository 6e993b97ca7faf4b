// Files of HnswIndex: any bytes are an index or refused, and an index can be searched. Bits of the first byte
// of an input say what the rest is. Bit 0: a whole file, or the bytes of a graph, which get a file with
// metadata and a check sum that fit, since no mutation meets these; bit 1: the metric of that file.
#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <mutex>
#include <set>
#include <span>
#include <string>
#include <vector>

#include <tests/fuzz/memory_file.hpp>
#include <tests/io/scratch.hpp>

#include <diffsiam/eval/hnsw_index.hpp>

using namespace diffsiam;
using namespace diffsiam::fuzz;
using eval::HnswIndex;
using eval::Metric;

namespace {

enum : std::uint8_t { whole_file = 1, euclidean = 2 };

/// hnswlib makes so many locks, whatever the size of the graph.
constexpr std::size_t lock_bytes = 65536 * sizeof(std::mutex);

/// The file that HnswIndex::save writes around these bytes; its metadata say what the header of the graph
/// says.
Bytes file_around(std::span<std::uint8_t const> graph, Metric metric) {
  eval::detail::HnswHeader header{};
  std::memcpy(&header, graph.data(), std::min(graph.size(), sizeof header));
  std::array<char, 16> sum{};
  std::snprintf(sum.data(), sum.size(), "%08x", io::crc32c(std::as_bytes(graph)));
  io::SafetensorsWriter writer;
  writer.metadata("format", "diffsiam.hnsw");
  writer.metadata("version", "1");
  writer.metadata("metric", std::string(eval::metric_name(metric)));
  writer.metadata("count", std::to_string(header.count));
  writer.metadata("dims", std::to_string((header.label_offset - header.data_offset) / sizeof(float)));
  writer.metadata("crc32c", sum.data());
  writer.add("graph", io::Dtype::U8, {static_cast<std::int64_t>(graph.size())}, graph);
  std::vector<std::byte> const bytes = writer.encode();
  std::span const file{reinterpret_cast<std::uint8_t const*>(bytes.data()), bytes.size()};
  return {file.begin(), file.end()};
}

/// Neighbours are other features, each once, the nearest first.
void search(HnswIndex const& index) {
  std::vector<float> const query(static_cast<std::size_t>(index.dims()), 0.5F);
  Index const k = std::min<Index>(index.count(), 3);
  auto const found = index.search({query, 1, index.dims()}, k);
  std::set<Index> seen;
  float last = INFINITY;
  for (auto const& neighbour : found.of(0)) {
    require(neighbour.index >= 0 && neighbour.index < index.count(), "neighbours among the features");
    require(seen.insert(neighbour.index).second, "each neighbour once");
    require(neighbour.similarity <= last, "the nearest first");
    last = neighbour.similarity;
  }
  require(static_cast<Index>(seen.size()) == k, "as many neighbours as were asked for");
}

}  // namespace

std::vector<Bytes> fuzz::seeds() {
  std::vector<Bytes> result;
  auto const keep = [&](std::uint8_t how, std::span<std::byte const> bytes) {
    std::span const content{reinterpret_cast<std::uint8_t const*>(bytes.data()), bytes.size()};
    result.emplace_back(content.begin(), content.end()).insert(result.back().begin(), how);
  };
  test::Scratch const scratch;
  for (Metric const metric : {Metric::cosine, Metric::euclidean})
    for (Index const count : {1, 24}) {
      std::vector<float> base;
      for (Index i = 0; i < 3 * count; ++i) base.push_back(static_cast<float>(i * i % 17) - 3);
      HnswIndex{{base, count, 3}, {.metric = metric, .m = 2, .ef_construction = 8}}.save(scratch / "index");
      keep(whole_file, io::read_file(scratch / "index"));
      auto const file = io::SafetensorsFile::read(scratch / "index");
      keep(metric == Metric::euclidean ? euclidean : 0, file.bytes("graph"));
    }
  return result;
}

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  static MemoryFile file;
  if (size == 0) return 0;
  std::span const rest{data + 1, size - 1};
  Metric const metric = (data[0] & euclidean) != 0 ? Metric::euclidean : Metric::cosine;
  Bytes const bytes =
      (data[0] & whole_file) != 0 ? Bytes(rest.begin(), rest.end()) : file_around(rest, metric);
  file.put(bytes);
  accepted += reads(bytes.size(), {.factor = 64, .constant = lock_bytes + (std::size_t{1} << 17)}, [&] {
    auto const index = HnswIndex::load(file.path());
    // hnswlib takes the graph by malloc.
    require(static_cast<std::size_t>(index.count() * index.dims()) * sizeof(float) <= bytes.size(),
            "no more values than the file holds");
    search(index);
  });
  return 0;
}
