// Approximate neighbours: against exact ones, and files that are broken, changed, or of hnswlib itself.
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <set>
#include <span>
#include <string>
#include <vector>

#include <tests/eval/blobs.hpp>
#include <tests/io/scratch.hpp>
#include <tests/support/catch.hpp>

#include <diffsiam/eval/exact_index.hpp>
#include <diffsiam/eval/hnsw_index.hpp>

using namespace diffsiam;
using diffsiam::test::contains;
using diffsiam::test::Scratch;
using eval::ExactIndex;
using eval::HnswIndex;
using eval::Metric;
using eval::Neighbours;

namespace {

/// Of the exact neighbours, the share that was found.
double recall(Neighbours const& found, Neighbours const& exact) {
  std::size_t hits = 0;
  for (std::size_t q = 0; q < exact.all.size() / static_cast<std::size_t>(exact.k); ++q) {
    std::set<Index> near;
    for (auto const& n : exact.of(static_cast<Index>(q))) near.insert(n.index);
    for (auto const& n : found.of(static_cast<Index>(q))) hits += near.count(n.index);
  }
  return static_cast<double>(hits) / static_cast<double>(exact.all.size());
}

bool same(Neighbours const& a, Neighbours const& b) {
  return a.k == b.k &&
         std::equal(a.all.begin(), a.all.end(), b.all.begin(), b.all.end(), [](auto const& x, auto const& y) {
           return x.index == y.index && x.similarity == y.similarity;
         });
}

/// The bytes of a graph in the file.
std::vector<std::byte> graph_in(std::filesystem::path const& path) {
  auto const file = io::SafetensorsFile::read(path);
  auto const bytes = file.bytes("graph");
  return {bytes.begin(), bytes.end()};
}

auto decode(std::span<std::byte const> bytes, Metric metric = Metric::euclidean) {
  return eval::detail::HnswDecoder{bytes, metric, "the file"}.decode();
}

}  // namespace

TEST_CASE("A graph finds nearly all exact neighbours, nearest first", "[eval][hnsw_index]") {
  test::Blobs const base{2000, 24, 5, 3, 1}, queries{200, 24, 5, 3, 2};
  ThreadPool pool{3};
  for (Metric const metric : {Metric::cosine, Metric::euclidean}) {
    HnswIndex index{base.features(), {.metric = metric}};
    CHECK(index.count() == 2000);
    CHECK(index.dims() == 24);
    CHECK(index.metric() == metric);
    auto const exact = ExactIndex{base.features(), metric}.search(queries.features(), 10);
    auto const found = index.search(queries.features(), 10);
    CAPTURE(eval::metric_name(metric), recall(found, exact));
    CHECK(recall(found, exact) > 0.98);
    CHECK(same(index.search(queries.features(), 10, &pool), found));
    for (Index q = 0; q < 200; ++q) {
      CHECK(std::is_sorted(found.of(q).begin(), found.of(q).end(), eval::detail::nearer));
      if (found.of(q)[0].index == exact.of(q)[0].index)
        CHECK(found.of(q)[0].similarity == test::Approx(exact.of(q)[0].similarity));
    }
    index.set_ef_search(1);  // then k candidates are kept
    CHECK(recall(index.search(queries.features(), 10), exact) < recall(found, exact));
  }
}

TEST_CASE("The same seed builds the same graph, and its file is that of hnswlib", "[eval][hnsw_index]") {
  Scratch const scratch;
  test::Blobs const base{300, 7, 3, 2, 1};
  HnswIndex{base.features(), {.m = 4}}.save(scratch / "a");
  HnswIndex{base.features(), {.m = 4}}.save(scratch / "b");
  HnswIndex{base.features(), {.m = 4, .seed = 7}}.save(scratch / "c");
  CHECK(test::read_text(scratch / "a") == test::read_text(scratch / "b"));
  CHECK(test::read_text(scratch / "a") != test::read_text(scratch / "c"));

  auto const graph = decode(graph_in(scratch / "a"), Metric::cosine);
  graph->links.saveIndex((scratch / "theirs").string());
  CHECK(io::read_file(scratch / "theirs") == graph_in(scratch / "a"));
}

TEST_CASE("What is saved is loaded, and finds the same", "[eval][hnsw_index]") {
  Scratch const scratch;
  test::Blobs const base{300, 7, 3, 2, 1}, queries{40, 7, 3, 2, 2};
  for (Metric const metric : {Metric::cosine, Metric::euclidean}) {
    HnswIndex const index{base.features(), {.metric = metric, .m = 5, .ef_search = 12}};
    index.save(scratch / "index");
    HnswIndex const loaded = HnswIndex::load(scratch / "index", 12);
    CHECK(loaded.metric() == metric);
    CHECK(same(loaded.search(queries.features(), 9), index.search(queries.features(), 9)));
    loaded.save(scratch / "again");
    CHECK(test::read_text(scratch / "again") == test::read_text(scratch / "index"));
  }
}

TEST_CASE("A graph that hnswlib wrote from Python is read and searched", "[eval][hnsw_index]") {
  auto const index = HnswIndex::load(std::filesystem::path{DIFFSIAM_TEST_DATA} / "../eval/files/helix.hnsw");
  CHECK(index.count() == 20);
  CHECK(index.dims() == 3);
  std::vector<float> const query{3, 9, 4};
  auto const found = index.search({query, 1, 3}, 3);
  // Its own search gives these.
  CHECK(found.of(0)[0].similarity == test::Approx(-std::sqrt(5.0)));
  CHECK(found.of(0)[1].similarity == test::Approx(-std::sqrt(29.0)));
  CHECK(found.of(0)[2].similarity == test::Approx(-std::sqrt(34.0)));
}

TEST_CASE("As many neighbours are found as were asked for, amid equal vectors, too", "[eval][hnsw_index]") {
  std::vector<float> base(1200, 1.0F);               // (400, 3)
  for (std::size_t i = 0; i < 30; ++i) base[i] = 0;  // ten of zeros
  for (Metric const metric : {Metric::cosine, Metric::euclidean}) {
    HnswIndex const index{{base, 400, 3}, {.metric = metric, .m = 2, .ef_construction = 3, .ef_search = 1}};
    auto const found = index.search({std::span(base).first(60), 20, 3}, 400);
    for (Index q = 0; q < 20; ++q) {
      std::set<Index> indices;
      for (auto const& n : found.of(q)) indices.insert(n.index);
      CHECK(indices.size() == 400);
    }
  }
  std::vector<float> const one{3, 4};
  CHECK(HnswIndex{{one, 1, 2}}.search({one, 1, 2}, 1).all[0].similarity == test::Approx(1));
}

TEST_CASE("What no graph can be built or searched with is refused", "[eval][hnsw_index]") {
  std::vector<float> const base{0, 0, 3, 4}, far{2e18F, 0}, nan{std::nanf(""), 0};
  CHECK_THROWS_WITH((HnswIndex{{base, 2, 2}, {.m = 1}}), contains("m in [2, 10000]") && contains("got 1"));
  CHECK_THROWS_AS((HnswIndex{{base, 2, 2}, {.m = 10'001}}), ConfigError);
  CHECK_THROWS_AS((HnswIndex{{base, 2, 2}, {.ef_construction = 0}}), ConfigError);
  CHECK_THROWS_AS((HnswIndex{{base, 2, 2}, {.ef_search = 0}}), ConfigError);
  CHECK_THROWS_AS((HnswIndex{{{}, 0, 2}}), ShapeError);
  CHECK_THROWS_AS((HnswIndex{{nan, 1, 2}}), NumericError);
  CHECK_THROWS_AS((HnswIndex{{far, 1, 2}, {.metric = Metric::euclidean}}), NumericError);
  HnswIndex const index{{base, 2, 2}, {.metric = Metric::euclidean}};
  CHECK_THROWS_WITH(index.search({base, 1, 4}, 1), contains("HnswIndex::search: expected queries of 2 dims"));
  CHECK_THROWS_AS(index.search({base, 2, 2}, 3), RangeError);
  CHECK_THROWS_AS(index.search({far, 1, 2}, 1), NumericError);
  // What hnswlib throws of its own is an error of the library.
  CHECK_THROWS_WITH(eval::detail::in_hnswlib("f", []() -> int { throw std::runtime_error("Level error"); }),
                    contains("f: expected work that hnswlib can do, got Level error"));
  CHECK_THROWS_AS(
      eval::detail::in_hnswlib("f", []() -> int { throw std::runtime_error("Not enough memory: x"); }),
      std::bad_alloc);
}

TEST_CASE("A file that is no index, or no longer what was saved, is a FileError", "[eval][hnsw_index]") {
  Scratch const scratch;
  test::Blobs const base{30, 3, 3, 2, 1};
  auto const path = scratch / "index";
  HnswIndex{base.features(), {.m = 2}}.save(path);
  std::string const good = test::read_text(path);
  auto const refused = [&](std::string const& content, std::string const& words) {
    io::write_file(path, content);
    CAPTURE(words);
    CHECK(test::contains(test::message_of<FileError>([&] { (void)HnswIndex::load(path); }), words));
  };
  refused(good.substr(0, good.size() - 1), "index'");
  refused("", "at least 8 bytes");
  refused("hello, this is no index", "index'");
  std::string changed = good;
  changed[good.size() - 40] ^= 1;
  refused(changed, "crc32c = ");

  auto const with = [&](std::string const& key, std::string const& value) {
    io::write_file(path, good);
    auto const file = io::SafetensorsFile::read(path);
    io::SafetensorsWriter writer;
    for (auto const& [name, text] : file.metadata()) writer.metadata(name, text);
    if (!key.empty()) writer.metadata(key, value);
    std::vector<std::byte> const bytes = graph_in(path);
    writer.add("graph", io::Dtype::U8, {static_cast<std::int64_t>(bytes.size())},
               std::span{reinterpret_cast<std::uint8_t const*>(bytes.data()), bytes.size()});
    auto const encoded = writer.encode();
    return std::string(reinterpret_cast<char const*>(encoded.data()), encoded.size());
  };
  CHECK(with("", "") == good);
  refused(with("format", "other"), "format = diffsiam.hnsw");
  refused(with("version", "2"), "version = 1");
  refused(with("metric", "taxicab"), "metric = cosine");
  refused(with("count", "29"), "count = 30");
  refused(with("dims", "4"), "dims = 3");
  io::SafetensorsWriter foreign;
  foreign.add("graph", io::Dtype::F32, {1}, std::vector<float>{1});
  foreign.write(path);
  refused(test::read_text(path), "got none");
  CHECK_THROWS_AS(HnswIndex::load(scratch / "nothing"), FileError);
}

TEST_CASE("A graph is believed only as far as its bytes bear it out, whatever its checksum",
          "[eval][hnsw_index]") {
  Scratch const scratch;
  test::Blobs const base{20, 3, 3, 2, 1};
  HnswIndex{base.features(), {.metric = Metric::euclidean, .m = 2}}.save(scratch / "index");
  std::vector<std::byte> const good = graph_in(scratch / "index");
  for (std::size_t size = 0; size < good.size(); ++size)
    CHECK_THROWS_AS(decode(std::span(good).first(size)), FileError);
  std::vector<std::byte> longer = good;
  longer.resize(good.size() + 4);
  CHECK_THROWS_AS(decode(longer), FileError);

  // Each byte as something else: refused, or a graph that can be searched.
  std::size_t refused = 0, searched = 0;
  for (std::size_t at = 0; at < good.size(); ++at) {
    for (unsigned const flip : {0x01U, 0x02U, 0x10U, 0x80U, 0xFFU}) {
      std::vector<std::byte> bytes = good;
      bytes[at] ^= static_cast<std::byte>(flip);
      try {
        auto const graph = decode(bytes);
        for (Index i = 0; i < base.count; ++i) {
          auto found = graph->links.searchKnn(base.features().row(i), 5);
          for (; !found.empty(); found.pop()) REQUIRE(found.top().second < 20);
        }
        ++searched;
      } catch (FileError const&) {
        ++refused;
      }
    }
  }
  CHECK(refused > searched / 4);
  CHECK(searched > 0);

  // Counts and sizes that claim what is not there.
  for (std::size_t const field : {0U, 1U, 2U, 3U, 4U, 5U, 7U, 8U, 9U, 11U}) {
    for (std::uint64_t const value : {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{1} << 31U,
                                      std::uint64_t{1} << 62U, ~std::uint64_t{0}}) {
      std::vector<std::byte> bytes = good;
      std::uint64_t old = 0;
      std::memcpy(&old, bytes.data() + 8 * field, sizeof old);
      std::memcpy(bytes.data() + 8 * field, &value, sizeof value);
      CAPTURE(field, value);
      bool const harmless = old == value || (field == 1 && value > 20) || (field == 11 && value == 1);
      if (!harmless) CHECK_THROWS_AS(decode(bytes), FileError);
    }
  }
}
