// Disks that refuse: full ones, folders that may not be written, and calls that fail at the end of a write.
// For everything that writes a file: a FileError that names the path and the cause, what stood there before,
// and nothing beside it.
#include <cerrno>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include <tests/faults/training_run.hpp>
#include <tests/io/scratch.hpp>
#include <tests/support/catch.hpp>
#include <tests/support/system_calls.hpp>

#include <diffsiam/io/json_lines.hpp>
#include <diffsiam/io/published_weights.hpp>
#include <diffsiam/report/chart.hpp>
#include <diffsiam/report/html_report.hpp>

#include <experiments/results.hpp>

using namespace diffsiam;
using diffsiam::test::Call;
using diffsiam::test::Scratch;
using Path = std::filesystem::path;

namespace {

struct Writer {
  std::string name;
  std::function<void(Path const&)> write;
};

/// Everything that replaces a file, a small one or a large one: small ones fail when they are flushed, large
/// ones amid.
std::vector<Writer> writers(bool large) {
  std::size_t const many = large ? 100000 : 300;
  auto const run = std::make_shared<test::TrainingRun>();
  auto const chart = [](Path const& path) {
    io::write_file(path, report::render_chart({.title = "C", .series = {{"loss", {1, 2, 3}, {3, 2, 1}}}}));
  };
  auto const noise = [](int side) {
    io::Picture picture = io::blank_picture(side, side, 3, 0);
    for (std::size_t i = 0; i < picture.pixels.size(); ++i)
      picture.pixels[i] = static_cast<std::uint8_t>(i * i * 2654435761U >> 13);
    return picture;
  };
  return {
      {"safetensors",
       [=](Path const& path) {
         io::SafetensorsWriter writer;
         writer.add("w", io::Dtype::F64, {static_cast<std::int64_t>(many)}, std::vector<double>(many, 1.5));
         writer.write(path);
       }},
      {"weights", [=](Path const& path) { io::save_weights(path, run->net); }},
      {"checkpoint", [=](Path const& path) { run->save(path); }},
      {"PNG", [=](Path const& path) { io::write_png(path, noise(large ? 200 : 20)); }},
      {"report",
       [=](Path const& path) {
         report::HtmlReport report{{.title = "T"}};
         report.section("S").text(std::string(many, 'x')).picture(noise(8));
         report.write(path);
       }},
      {"SVG", chart},
      {"results",
       [=](Path const& path) {
         experiments::ResultFile results{path};
         results.append({"data", "method", 1}, 1,
                        std::vector<experiments::Measured>(many / 50, {.measure = "measure", .value = 0.5}));
       }},
      {"resumed lines", [=](Path const& path) { (void)io::JsonLines::resume(path, 5); }}};
}

/// What stood there before: good lines of JSON, which all of them may replace.
std::string before() {
  std::string text;
  for (int i = 0; i < 20; ++i) text += "{\"step\":1,\"value\":0.5,\"note\":\"0123456789\"}\n";
  return text;
}

}  // namespace

TEST_CASE("A full disk: FileError with path and cause, the old file, and no temporary", "[faults]") {
  for (bool const large : {false, true}) {
    for (Writer const& writer : writers(large)) {
      Scratch const scratch;
      io::write_file(scratch / "target", before());
      std::string const message = test::message_in_child([] { test::limit_file_size(100); },
                                                         [&] { writer.write(scratch / "target"); });
      CAPTURE(writer.name, large, message);
      CHECK(test::contains(message, "target'"));
      CHECK(test::contains(message, "File too large"));
      CHECK(test::read_text(scratch / "target") == before());
      CHECK(scratch.file_count() == 1);
    }
  }
}

TEST_CASE("A folder that may not be written: FileError with path and cause, and the old file", "[faults]") {
  for (Writer const& writer : writers(false)) {
    Scratch const scratch;
    std::filesystem::permissions(scratch.folder(), std::filesystem::perms::all);
    std::filesystem::create_directory(scratch / "locked");
    auto const target = scratch / "locked" / "target";
    io::write_file(target, before());
    std::filesystem::permissions(target, std::filesystem::perms::all);
    std::filesystem::permissions(
        scratch / "locked", std::filesystem::perms::all &
                                ~(std::filesystem::perms::owner_write | std::filesystem::perms::group_write |
                                  std::filesystem::perms::others_write));
    std::string const message = test::message_in_child(test::become_nobody, [&] { writer.write(target); });
    std::string const below = test::message_in_child([] {}, [&] { writer.write(target / "file"); });
    std::filesystem::permissions(scratch / "locked", std::filesystem::perms::all);
    CAPTURE(writer.name, message, below);
    CHECK(test::contains(message, "target'"));
    CHECK(test::contains(message, "Permission denied"));
    CHECK(test::contains(below, "target/file'"));
    CHECK(test::contains(below, "Not a directory"));
    CHECK(test::read_text(target) == before());
  }
}

TEST_CASE("A write that fails at its end: FileError with the cause, the old file, and no temporary",
          "[faults]") {
  for (auto const& [call, error, cause] : {std::tuple{Call::fsync, EIO, "Input/output error"},
                                           std::tuple{Call::fsync, ENOSPC, "No space left on device"},
                                           std::tuple{Call::rename, EROFS, "Read-only file system"}}) {
    for (Writer const& writer : writers(false)) {
      Scratch const scratch;
      io::write_file(scratch / "target", before());
      std::string message;
      {
        test::FailingCall const failing{call, error};
        message = test::message_of<FileError>([&] { writer.write(scratch / "target"); });
      }
      CAPTURE(writer.name, message);
      CHECK(test::contains(message, "target'"));
      CHECK(test::contains(message, cause));
      CHECK(test::contains(message, "unchanged"));
      CHECK(test::read_text(scratch / "target") == before());
      CHECK(scratch.file_count() == 1);
    }
  }
}

TEST_CASE("A line that can neither be finished nor taken back is mended before the next one", "[faults]") {
  Scratch const scratch;
  auto const path = scratch / "lines";
  std::string const in_child = test::message_in_child(
      [] { test::limit_file_size(40); },
      [&] {
        io::JsonLines lines = io::JsonLines::create(path);
        lines.append({{"step", 1}});
        std::string message;
        {
          test::FailingCall const failing{Call::ftruncate, EIO};
          message = test::message_of<FileError>([&] { lines.append({{"note", std::string(100, 'x')}}); });
        }
        if (!test::contains(message, "its last line is incomplete") || test::read_text(path).size() != 40)
          throw FileError(message);
        {
          test::FailingCall const failing{Call::ftruncate, EIO};
          message = test::message_of<FileError>([&] { lines.append({{"step", 2}}); });
        }
        if (!test::contains(message, "Input/output error")) throw FileError(message);
        lines.append({{"step", 2}});
      });
  CHECK(in_child.empty());
  CHECK(test::read_text(path) == "{\"step\":1}\n{\"step\":2}\n");
}
