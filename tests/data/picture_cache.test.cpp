#include <chrono>
#include <csignal>
#include <fstream>
#include <thread>

#include <tests/data/files.hpp>
#include <tests/support/catch.hpp>

#include <diffsiam/data/picture_cache.hpp>

using namespace diffsiam;
using data::cache_pictures;
using data::PictureCacheConfig;

namespace {

/// `count` pictures of 1 x 2 x 1, of which those in `broken` cannot be read, and 300 is as 299.
struct Numbered {
  Index count = 600;
  std::vector<Index> broken{};
  std::string settings = "one";
  int pause_ms = 0;

  [[nodiscard]] Index size() const { return count; }
  [[nodiscard]] data::ImageExtent extent() const { return {.height = 1, .width = 2, .channels = 1}; }
  [[nodiscard]] std::vector<int> labels() const {
    std::vector<int> labels;
    for (Index i = 0; i < count; ++i) labels.push_back(static_cast<int>(i % 7));
    return labels;
  }
  [[nodiscard]] std::vector<std::string> class_names() const { return {"a", "b", "c", "d", "e", "f", "g"}; }
  [[nodiscard]] std::string name(Index i) const { return "picture " + std::to_string(i); }
  [[nodiscard]] std::string key(Index i) const { return name(i); }
  [[nodiscard]] std::string settings_key() const { return settings; }
  void read(Index i, std::span<std::uint8_t> out) const { (void)read_sized(i, out); }
  data::ImageExtent read_sized(Index i, std::span<std::uint8_t> out) const {
    if (pause_ms > 0) std::this_thread::sleep_for(std::chrono::milliseconds(pause_ms));
    if (std::find(broken.begin(), broken.end(), i) != broken.end())
      fail<FileError>("read", {"to read ", name(i)}, "rubbish");
    Index const shown = i == 300 ? 299 : i;
    out[0] = static_cast<std::uint8_t>(shown % 256);
    out[1] = static_cast<std::uint8_t>(shown / 256);
    return {.height = 10 + static_cast<int>(i), .width = 700 - static_cast<int>(i), .channels = 3};
  }
};
static_assert(data::CacheableSource<Numbered>);

}  // namespace

TEST_CASE("a cache holds the pictures, labels and names of its source") {
  test::Scratch const scratch;
  ThreadPool threads{2};
  Numbered const source;
  std::vector<Index> steps;
  auto const cached = cache_pictures(
      source,
      {.path = scratch / "c", .progress = [&](Index done, Index all) { steps.push_back(done * 1000 + all); }},
      threads);
  REQUIRE(cached.built);
  REQUIRE(steps == std::vector<Index>{256600, 512600, 600600});
  data::Dataset const plain{source};
  REQUIRE(cached.pictures.shape() == plain.shape());
  REQUIRE(cached.pictures.labels() == plain.labels());
  REQUIRE(cached.pictures.units() == plain.units());
  REQUIRE(cached.names[599] == "picture 599");
  REQUIRE(cached.class_names[6] == "g");
  REQUIRE(cached.unreadable.empty());
  REQUIRE(cached.repeats == std::vector<Index>{300});
  REQUIRE(cached.smallest == data::ImageExtent{.height = 10, .width = 101, .channels = 3});
  REQUIRE(cached.largest == data::ImageExtent{.height = 609, .width = 700, .channels = 3});
}

TEST_CASE("a cache is read again, and built anew only where something differs") {
  test::Scratch const scratch;
  ThreadPool threads{2};
  PictureCacheConfig const config{.path = scratch / "c"};
  REQUIRE(cache_pictures(Numbered{}, config, threads).built);
  auto const before = cache_pictures(Numbered{}, config, threads);
  REQUIRE_FALSE(before.built);
  REQUIRE(cache_pictures(Numbered{.settings = "two"}, config, threads).built);
  REQUIRE(cache_pictures(Numbered{.count = 599, .settings = "two"}, config, threads).built);
  // The replaced file stays mapped for who has it.
  REQUIRE(before.pictures.pixels(599) == test::Bytes{599 % 256, 2});
}

TEST_CASE("a cache is the same with any number of threads") {
  test::Scratch const scratch;
  for (int const count : {1, 3}) {
    ThreadPool threads{count};
    (void)cache_pictures(Numbered{.broken = {3}},
                         {.path = scratch / std::to_string(count), .skip_unreadable = true}, threads);
  }
  REQUIRE(io::read_file(scratch / "1") == io::read_file(scratch / "3"));
}

TEST_CASE("pictures that cannot be read are named: as an error, or skipped and counted") {
  test::Scratch const scratch;
  ThreadPool threads{2};
  Numbered const source{.broken = {0, 257, 599}};
  REQUIRE_THROWS_WITH(cache_pictures(source, {.path = scratch / "c"}, threads),
                      test::contains("to read picture"));
  REQUIRE(scratch.file_count() == 0);
  auto const cached = cache_pictures(source, {.path = scratch / "c", .skip_unreadable = true}, threads);
  REQUIRE(cached.pictures.size() == 597);
  REQUIRE(cached.unreadable.size() == 3);
  REQUIRE(cached.unreadable[1].name == "picture 257");
  REQUIRE(test::contains(cached.unreadable[1].reason, "rubbish"));
  REQUIRE(cached.names.front() == "picture 1");
  REQUIRE(cached.pictures.label(256) == 258 % 7);
  REQUIRE(cached.pictures.pixels(256) == test::Bytes{2, 1});
  REQUIRE_THROWS_WITH(cache_pictures(Numbered{.count = 1, .broken = {0}},
                                     {.path = scratch / "d", .skip_unreadable = true}, threads),
                      test::contains("of 1") && test::contains("rubbish"));
}

TEST_CASE("a damaged cache is built anew") {
  test::Scratch const scratch;
  ThreadPool threads{1};
  PictureCacheConfig const config{.path = scratch / "c"};
  (void)cache_pictures(Numbered{}, config, threads);
  auto const whole = io::read_file(config.path);
  for (std::size_t const bytes : {0U, 7U, 100U, 4096U, 4097U, 5000U}) {
    io::write_file(config.path, std::span(whole).first(bytes));
    REQUIRE(cache_pictures(Numbered{}, config, threads).built);
  }
  io::write_file(config.path, "some other file");
  REQUIRE(cache_pictures(Numbered{}, config, threads).built);
  REQUIRE(io::read_file(config.path) == whole);
  std::filesystem::remove(config.path);
  std::filesystem::create_directory(config.path);
  REQUIRE_THROWS_WITH(cache_pictures(Numbered{}, config, threads), test::contains("a folder"));
}

TEST_CASE("a process that is killed while it builds leaves nothing that counts as a cache") {
  test::Scratch const scratch;
  Numbered const slow{.count = 100000, .pause_ms = 1};
  pid_t const child = ::fork();
  if (child == 0) {
    try {
      ThreadPool threads{1};
      (void)cache_pictures(slow, {.path = scratch / "c"}, threads);
    } catch (...) {
    }
    ::_exit(0);
  }
  while (scratch.file_count() == 0) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  REQUIRE_FALSE(io::file_exists(scratch / "c"));
  ThreadPool threads{2};
  REQUIRE(cache_pictures(Numbered{}, {.path = scratch / "c"}, threads).built);
  REQUIRE(scratch.file_count() == 1);  // what the other had begun is gone
}

TEST_CASE("a full disk leaves the old cache") {
  test::Scratch const scratch;
  PictureCacheConfig const config{.path = scratch / "c"};
  ThreadPool threads{1};
  (void)cache_pictures(Numbered{}, config, threads);
  std::string const message =
      test::message_in_child([] { test::limit_file_size(4500); },
                             [&] {
                               ThreadPool one{1};
                               (void)cache_pictures(Numbered{.settings = "two"}, config, one);
                             });
  REQUIRE(test::contains(message, "to write"));
  REQUIRE_FALSE(cache_pictures(Numbered{}, config, threads).built);
}
