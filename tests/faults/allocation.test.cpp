// Memory that runs out at any moment: each allocation of an operation fails in turn, alone or with all that
// follow, in whatever thread it is. What is promised: std::bad_alloc leaves the operation, nothing leaks,
// nothing hangs, and what the operation works on is as before and can be used.
#include <cstdint>
#include <new>
#include <optional>
#include <string>
#include <vector>

#include <tests/faults/training_run.hpp>
#include <tests/io/scratch.hpp>
#include <tests/support/catch.hpp>
#include <tests/support/heap.hpp>
#include <tests/support/small_model.hpp>

#include <diffsiam/data/dataset.hpp>
#include <diffsiam/data/loader.hpp>
#include <diffsiam/io/json_lines.hpp>
#include <diffsiam/report/html_report.hpp>

using namespace diffsiam;
using namespace diffsiam::test;
using B = backend::Cpu<float>;

namespace {

/// Runs `action` with its first allocation failing, then its second, and so on until it succeeds, and `check`
/// behind each failure. Beyond the first 50 it takes longer and longer strides. Returns how many failed.
/// Only allocations of `least` bytes and more are counted.
template <class Action, class Check>
std::uint64_t fail_each_allocation(heap::Failure failure, Action action, Check check, std::size_t least = 0) {
  std::uint64_t failures = 0;
  for (std::uint64_t at = 0;; at += 1 + at / 50, ++failures) {
    bool thrown = false;
    std::string other;
    bool happened = false;
    {
      heap::Failing const failing{at, failure, least};
      try {
        action();
      } catch (std::bad_alloc const&) {
        thrown = true;
      } catch (std::exception const& error) {
        other = error.what();
      }
      happened = failing.happened();
    }
    if (thrown) check();  // before this function holds memory of its own
    CAPTURE(at, other);
    REQUIRE(other.empty());
    if (!happened) return failures;
    // A single failure may be got over, as where sorting does without a buffer.
    if (failure == heap::Failure::from_then_on) REQUIRE(thrown);
  }
}

// The JSON library allocates where it destroys a value, and a destructor that throws ends the program. So
// with JSON in hand what is promised is that memory may run out for all that is large; its own pieces are
// smaller than this.
constexpr std::size_t beyond_json = 2048;

constexpr heap::Failure both[]{heap::Failure::once, heap::Failure::from_then_on};

/// A call of operator new, which a compiler may not leave out, as clang does with a vector's.
struct Block {
  explicit Block(std::size_t bytes) : memory(::operator new(bytes)) {}
  Block(Block const&) = delete;
  Block& operator=(Block const&) = delete;
  ~Block() { ::operator delete(memory); }
  void* memory;
};

}  // namespace

TEST_CASE("The heap fails where it is told to, and counts", "[faults]") {
  std::size_t const before = heap::live();
  {
    Block const block{1000};
    CHECK(heap::live() >= before + 1000);
    heap::Failing const failing{1};
    Block const first{1};
    CHECK_FALSE(failing.happened());
    CHECK_THROWS_AS(Block{1}, std::bad_alloc);
    CHECK(failing.happened());
    Block const third{1};
  }
  CHECK(heap::live() == before);
}

TEST_CASE("Building a context and a model gives everything back when memory runs out", "[faults]") {
  std::size_t before = 0;
  auto const build = [&] {
    before = heap::live();
    B::Context context{{.threads = 3}};
    SmallModel<B> const model{context};
  };
  build();  // what is made once and for all is made
  bool kept = true;
  auto const given_back = [&] { kept = kept && heap::live() == before; };
  for (heap::Failure const failure : both) {
    CHECK(fail_each_allocation(failure, build, given_back) > 80);
    CHECK(kept);
  }
}

TEST_CASE("A training step that runs out of memory has not happened", "[faults]") {
  for (heap::Failure const failure : both) {
    TrainingRun run, twin;
    run();
    twin();
    std::vector<float> const before = run.state();
    bool same = true;
    std::uint64_t const failures =
        fail_each_allocation(failure, [&] { run(); }, [&] { same = same && run.state() == before; });
    CHECK(same);
    CHECK(failures > 50);
    twin();
    CHECK(run.state() == twin.state());  // and the one that succeeded is like any other
  }
}

TEST_CASE(
    "A checkpoint that cannot be saved for want of memory stays, and one that cannot be loaded can be loaded "
    "again",
    "[faults]") {
  Scratch const scratch;
  TrainingRun run;
  run();
  run.save(scratch / "other");
  run();
  run.save(scratch / "run");
  std::string const file = read_text(scratch / "run"), other = read_text(scratch / "other");
  std::vector<float> const state = run.state();
  bool good = true;
  auto const unchanged = [&] {
    good = good && run.state() == state && scratch.file_count() == 2 && read_text(scratch / "other") == other;
  };
  auto const loaded_again = [&] {
    run.load(scratch / "run");
    good = good && run.state() == state;
  };
  for (heap::Failure const failure : both) {
    CHECK(
        fail_each_allocation(failure, [&] { run.load(scratch / "other"); }, loaded_again, beyond_json) > 10);
    CHECK(run.step.steps() == 1);
    loaded_again();
    CHECK(fail_each_allocation(failure, [&] { run.save(scratch / "other"); }, unchanged, beyond_json) > 10);
    CHECK(read_text(scratch / "other") == file);
    CHECK(good);
    io::write_file(scratch / "other", other);
  }
}

TEST_CASE("A loader whose threads run out of memory says so, and goes on", "[faults]") {
  std::vector<std::uint8_t> pixels(24 * 8 * 8);
  for (std::size_t i = 0; i < pixels.size(); ++i) pixels[i] = static_cast<std::uint8_t>(i * 7919 % 251);
  auto const dataset = data::Dataset::from(pixels, {24, 8, 8, 1});
  std::size_t before = 0;
  auto const batches = [&] {
    before = heap::live();
    data::Loader loader{
        dataset,
        {.batch_size = 8, .seed = 1, .threads = 3, .views = data::TwoViews{data::AugmentConfig::grey()}}};
    std::vector<float> all;
    all.reserve(6 * 8 * 64);
    for (int i = 0; i < 6; ++i) {
      auto const batch = loader.next();
      all.insert(all.end(), batch.views[1].begin(), batch.views[1].end());
    }
    return all;
  };
  std::vector<float> const expected = batches();
  bool kept = true;
  auto const given_back = [&] { kept = kept && heap::live() == before; };
  for (heap::Failure const failure : both) {
    CHECK(fail_each_allocation(failure, [&] { (void)batches(); }, given_back) > 10);
    CHECK(kept);
    CHECK(batches() == expected);
  }
}

TEST_CASE("Files that cannot be written for want of memory leave what was there, and nothing beside it",
          "[faults]") {
  Scratch const scratch;
  auto const path = scratch / "file";
  io::write_file(path, std::string("old"));
  bool kept = true;
  auto const unchanged = [&] { kept = kept && read_text(path) == "old" && scratch.file_count() == 1; };
  auto const picture = io::blank_picture(4, 5, 3, 7);
  auto const report = [&] {
    report::HtmlReport page{{.title = "T"}};
    page.section("S").text("x").picture(picture).chart({.title = "C", .series = {{"a", {1, 2}, {3, 4}}}});
    page.write(path);
  };
  for (heap::Failure const failure : both) {
    CHECK(fail_each_allocation(failure, report, unchanged) > 50);
    io::write_file(path, std::string("old"));
    CHECK(fail_each_allocation(failure, [&] { io::write_png(path, picture); }, unchanged) > 2);
    io::write_file(path, std::string("old"));
    CHECK(fail_each_allocation(failure, [&] { io::write_file(path, "new"); }, unchanged) > 2);
    io::write_file(path, std::string("old"));
    CHECK(kept);
  }
}

TEST_CASE("Lines that cannot be appended or kept for want of memory leave the file", "[faults]") {
  Scratch const scratch;
  auto const path = scratch / "lines";
  nlohmann::ordered_json const record{{"step", 1}, {"note", std::string(10000, 'x')}};
  io::JsonLines lines = io::JsonLines::create(path);
  lines.append(record);
  std::string const line = read_text(path);
  bool kept = true;
  auto const unchanged = [&] { kept = kept && read_text(path) == line; };
  auto const resume = [&] { lines = io::JsonLines::resume(path, 1); };
  for (heap::Failure const failure : both) {
    CHECK(fail_each_allocation(failure, resume, unchanged, beyond_json) > 2);
    CHECK(fail_each_allocation(failure, [&] { lines.append(record); }, unchanged, beyond_json) > 0);
    CHECK(read_text(path) == line + line);
    CHECK(kept);
    io::write_file(path, line);
    resume();
  }
}
