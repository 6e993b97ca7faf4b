#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <tests/data/kept_files.hpp>
#include <tests/support/catch.hpp>

#include <diffsiam/core/philox.hpp>
#include <diffsiam/data/dataset.hpp>
#include <diffsiam/data/lmdb_pictures.hpp>
#include <diffsiam/data/picture_cache.hpp>

using namespace diffsiam;
using data::LmdbPictures;
using test::contains;
using test::KeptFiles;

static_assert(data::CacheableSource<LmdbPictures>);

namespace {

constexpr data::FitConfig small{.height = 4, .width = 4};

/// Whether picture i is one of the shades that make_files.py draws; JPEG keeps it nearly.
bool shaded(LmdbPictures const& source, Index i, int shade) {
  std::vector<std::uint8_t> pixels(source.extent().size());
  source.read(i, pixels);
  int const expected[3]{20 * shade, 100, 255 - 20 * shade};
  for (std::size_t k = 0; k < pixels.size(); ++k)
    if (std::abs(pixels[k] - expected[k % 3]) > 2) return false;
  return true;
}

void write_plainly(std::filesystem::path const& path, std::vector<std::byte> const& bytes) {
  std::ofstream file{path, std::ios::binary};
  file.write(reinterpret_cast<char const*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
}

/// Replaces a number of the file, at `position`.
template <class T>
void put(std::vector<std::byte>& bytes, std::size_t position, T value) {
  std::memcpy(bytes.data() + position, &value, sizeof value);
}

}  // namespace

TEST_CASE("pictures of CelebA, FFHQ and LSUN are read from LMDB by the keys that each has") {
  KeptFiles const files{"lmdb"};
  for (auto const& [name, first_key] :
       {std::pair{"celeba.mdb", "None-0000000"}, std::pair{"ffhq.mdb", "256-00000"},
        std::pair{"lsun.mdb", "256-0000000"}}) {
    INFO(name);
    LmdbPictures const source{files / name, small};
    REQUIRE(source.size() == 3);
    REQUIRE(source.extent() == data::ImageExtent{4, 4, 3});
    REQUIRE(source.name(0) == first_key);
    REQUIRE(shaded(source, 0, 0));  // JPEG
    REQUIRE(shaded(source, 1, 1));  // PNG
#if defined(DIFFSIAM_WITH_WEBP)
    REQUIRE(shaded(source, 2, 2));
#endif
  }
}

TEST_CASE("a folder with data.mdb is a database, and nothing is written there") {
  KeptFiles const files{"lmdb"};
  std::filesystem::create_directory(files / "ffhq");
  std::filesystem::rename(files / "ffhq.mdb", files / "ffhq" / "data.mdb");
  data::Dataset const set{LmdbPictures{files / "ffhq", small}};
  REQUIRE(set.shape() == Shape{3, 4, 4, 3});
  REQUIRE_FALSE(set.labelled());
  REQUIRE(set.pixels(1)[1] == 100);
  std::filesystem::directory_iterator entry{files / "ffhq"};
  REQUIRE(++entry == std::filesystem::directory_iterator{});
}

TEST_CASE("of a database with pictures of several sizes one is chosen") {
  KeptFiles const files{"lmdb"};
  std::filesystem::path const path = files / "two_sizes.mdb";
  LmdbPictures const source{path, small, {}, "16"};
  REQUIRE(source.size() == 12);
  REQUIRE(source.name(11) == "16-00011");
  REQUIRE(shaded(source, 11, 11));
  std::vector<std::uint8_t> pixels(source.extent().size());
  REQUIRE(source.read_sized(3, pixels) == data::ImageExtent{16, 16, 3});
  REQUIRE_THROWS_WITH(LmdbPictures(path, small),
                      contains("one of the sizes") && contains("16, 8") && contains("got none"));
  REQUIRE_THROWS_WITH(LmdbPictures(path, small, {}, "32"), contains("got '32'"));
}

TEST_CASE("a database of many pages is read by several threads at once") {
  KeptFiles const files{"lmdb"};
  LmdbPictures const source{files / "many.mdb", small};
  REQUIRE(source.size() == 300);
  std::vector<int> right(4);
  std::vector<std::thread> threads;
  for (std::size_t thread = 0; thread < right.size(); ++thread)
    threads.emplace_back([&, thread] {
      for (int i = 0; i < 300; ++i) right[thread] += shaded(source, i, i == 150 ? 7 : i % 12) ? 1 : 0;
    });
  for (std::thread& thread : threads) thread.join();
  REQUIRE(right == std::vector<int>(4, 300));
}

TEST_CASE("pictures of LMDB without the key length are counted by their entries") {
  KeptFiles const files{"lmdb"};
  REQUIRE(LmdbPictures{files / "no_length.mdb", small}.size() == 1);
}

TEST_CASE("a key of a cache tells databases, pictures and settings apart") {
  KeptFiles const files{"lmdb"};
  LmdbPictures const source{files / "ffhq.mdb", small};
  REQUIRE(source.key(0) != source.key(1));
  REQUIRE(source.key(0) != LmdbPictures{files / "celeba.mdb", small}.key(0));
  data::FitConfig other = small;
  REQUIRE(source.settings_key() == LmdbPictures{files / "ffhq.mdb", other}.settings_key());
  other.box = data::CropBox{0, 0, 2, 2};
  REQUIRE(source.settings_key() != LmdbPictures{files / "ffhq.mdb", other}.settings_key());
}

TEST_CASE("a wrong database is refused with its name") {
  KeptFiles const files{"lmdb"};
  auto const refused = [&](std::string const& name, std::string const& part) {
    REQUIRE_THROWS_WITH(LmdbPictures(files / name, small), contains(name) && contains(part));
  };
  refused("too_long.mdb", "which has 2 entries, got '2'");
  refused("other_keys.mdb", "keys such as 256-00000, from 0 on");
  refused("none.mdb", "No such file");
  std::filesystem::create_directory(files / "empty");
  refused("empty", "data.mdb");
  files.edit("ffhq.mdb", [](std::vector<std::byte>& bytes) {
    std::string const key = "256-00002";
    for (std::size_t i = 0; i + key.size() < bytes.size(); ++i)
      if (std::memcmp(bytes.data() + i, key.data(), key.size()) == 0) bytes[i + 8] = std::byte{'3'};
  });
  refused("ffhq.mdb", "no key 256-00002");
}

TEST_CASE("a broken picture in LMDB is an error that names its key") {
  KeptFiles const files{"lmdb"};
  LmdbPictures const source{files / "broken_picture.mdb", small};
  std::vector<std::uint8_t> pixels(source.extent().size());
  REQUIRE_THROWS_WITH(source.read(0, pixels), contains("256-00000 of ") && contains("broken_picture.mdb"));
  REQUIRE_THROWS_AS(LmdbPictures(files / "ffhq.mdb", data::FitConfig{}), ConfigError);
}

TEST_CASE("a damaged database is refused before the library reads it") {
  KeptFiles const files{"lmdb"};
  auto const refused = [&](std::string const& part, auto const& change) {
    files.edit("many.mdb", change);
    REQUIRE_THROWS_WITH(LmdbPictures(files / "many.mdb", small),
                        contains("many.mdb'") && contains(part) && contains("damaged"));
  };
  constexpr std::size_t page = 4096;
  using Raw = std::vector<std::byte>;
  SECTION("truncated") {
    refused("truncated?", [](Raw& bytes) { bytes.resize(bytes.size() - 1); });
    refused("two heads", [](Raw& bytes) { bytes.resize(page); });
    refused("the head of an LMDB file", [](Raw& bytes) { bytes.resize(100); });
    refused("the head of an LMDB file", [](Raw& bytes) { bytes.clear(); });
  }
  SECTION("another file") {
    refused("the head", [](Raw& bytes) { bytes.assign(3 * page, std::byte{7}); });
  }
  SECTION("a size of pages that divides by zero") {
    refused("version 0.9", [](Raw& bytes) { put(bytes, 40, 0U); });
  }
  SECTION("another version") {
    refused("version 0.9", [](Raw& bytes) { put(bytes, page + 20, 2U); });
  }
  auto const root = [](Raw const& bytes) {
    std::uint64_t pages[2];
    for (std::size_t meta = 0; meta < 2; ++meta)
      std::memcpy(&pages[meta], bytes.data() + meta * page + 128, 8);
    std::uint64_t const none = ~std::uint64_t{0};
    return static_cast<std::size_t>(pages[1] != none ? pages[1] : pages[0]) * page;
  };
  SECTION("a root that is not there") {
    refused("a tree of pages", [&](Raw& bytes) {
      put(bytes, 128, std::uint64_t{1} << 40);
      put(bytes, page + 128, std::uint64_t{1} << 40);
    });
  }
  SECTION("a branch that leads to itself") {
    refused("a tree of pages", [&](Raw& bytes) {
      std::size_t const start = root(bytes);
      std::uint16_t node = 0;
      std::memcpy(&node, bytes.data() + start + 16, 2);
      put(bytes, start + node, static_cast<std::uint32_t>(start / page));
    });
  }
  SECTION("a branch with one child") {
    refused("pages of a tree", [&](Raw& bytes) { put(bytes, root(bytes) + 12, std::uint16_t{18}); });
  }
  SECTION("a node outside of its page") {
    refused("nodes inside", [&](Raw& bytes) { put(bytes, root(bytes) + 16, std::uint16_t{4092}); });
  }
}

TEST_CASE("whatever happens to the bytes of a database, it is read or refused") {
  KeptFiles const files{"lmdb"};
  std::filesystem::path const path = files / "mutant.mdb";
  for (char const* const name : {"celeba.mdb", "many.mdb"}) {
    std::vector<std::byte> const original = io::read_file(files / name);
    std::vector<std::size_t> used;  // positions of bytes that mean something
    for (std::size_t i = 0; i < original.size(); ++i)
      if (original[i] != std::byte{0} && original[i] != std::byte{'x'}) used.push_back(i);
    int refused = 0;
    for (std::uint64_t round = 0; round < 400; ++round) {
      Rng const rng{.seed = 5, .stream = 4, .step = round};
      std::vector<std::byte> bytes = original;
      std::uint32_t const edits = 1 + rng.below(3, 0);
      for (std::uint64_t edit = 0; edit < edits; ++edit) {
        auto const words = rng.words(1 + edit);
        std::size_t const at = used[words[0] % used.size()] + words[2] % 2;
        if (at < bytes.size()) bytes[at] = static_cast<std::byte>(words[1]);
      }
      write_plainly(path, bytes);
      try {
        LmdbPictures const source{path, small};
        std::vector<std::uint8_t> pixels(source.extent().size());
        for (Index i = 0; i < source.size(); i += 7) source.read(i, pixels);
      } catch (Error const&) {
        ++refused;
      }
    }
    REQUIRE(refused > 100);
  }
}
