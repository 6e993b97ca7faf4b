#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

#include <tests/io/scratch.hpp>
#include <tests/support/catch.hpp>

#include <diffsiam/io/file.hpp>

using namespace diffsiam;
using namespace diffsiam::test;

TEST_CASE("a written file is read back byte for byte", "[io][file]") {
  Scratch const scratch;
  std::string content(100000, '\0');
  for (std::size_t i = 0; i < content.size(); ++i) content[i] = static_cast<char>(i * 7 % 256);
  io::write_file(scratch / "data", content);
  CHECK(read_text(scratch / "data") == content);
  io::write_file(scratch / "data", std::string());
  CHECK(io::read_file(scratch / "data").empty());
  CHECK(scratch.file_count() == 1);
}

TEST_CASE("read_file refuses missing files, folders, devices and files above the limit", "[io][file]") {
  Scratch const scratch;
  std::string const missing = message_of<FileError>([&] { (void)io::read_file(scratch / "missing"); });
  CHECK(contains(missing, "read_file: expected to open"));
  CHECK(contains(missing, "missing"));
  CHECK(contains(missing, "No such file"));
  CHECK(contains(message_of<FileError>([&] { (void)io::read_file(scratch.folder()); }), "regular file"));
  CHECK(contains(message_of<FileError>([&] { (void)io::read_file("/dev/zero"); }), "regular file"));
  io::write_file(scratch / "eleven", std::string("hello world"));
  CHECK(io::read_file(scratch / "eleven", 11).size() == 11);
  std::string const large = message_of<FileError>([&] { (void)io::read_file(scratch / "eleven", 10); });
  CHECK(contains(large, "at most 10 bytes, got 11 bytes"));
}

TEST_CASE("an atomic file that is not committed leaves the target and no trace", "[io][file]") {
  Scratch const scratch;
  io::write_file(scratch / "target", std::string("old"));
  {
    io::AtomicFile file(scratch / "target");
    file.write("new");
    CHECK(scratch.file_count() == 2);
    CHECK(read_text(scratch / "target") == "old");
  }
  CHECK(scratch.file_count() == 1);
  CHECK(read_text(scratch / "target") == "old");
}

TEST_CASE("a finished atomic file refuses more", "[io][file]") {
  Scratch const scratch;
  io::AtomicFile file(scratch / "target");
  file.write("once");
  file.commit();
  CHECK(contains(message_of<FileError>([&] { file.write("again"); }), "already finished"));
  CHECK(contains(message_of<FileError>([&] { file.commit(); }), "already finished"));
  CHECK(read_text(scratch / "target") == "once");
}

TEST_CASE("two writers of one target do not meet in their temporaries", "[io][file]") {
  Scratch const scratch;
  io::AtomicFile first(scratch / "target");
  io::AtomicFile second(scratch / "target");
  first.write("first");
  second.write("second");
  first.commit();
  CHECK(read_text(scratch / "target") == "first");
  second.commit();
  CHECK(read_text(scratch / "target") == "second");
  CHECK(scratch.file_count() == 1);
}

TEST_CASE("a full disk raises FileError, and the old file stays", "[io][file]") {
  Scratch const scratch;
  io::write_file(scratch / "target", std::string("old"));
  // Small content fails when the buffer is flushed, large content in the write itself.
  for (std::size_t const size : {std::size_t{1000}, std::size_t{100000}}) {
    std::string const message = message_in_child(
        [] { limit_file_size(100); }, [&] { io::write_file(scratch / "target", std::string(size, 'x')); });
    CAPTURE(message);
    CHECK(contains(message, "write_file: expected to write"));
    CHECK(contains(message, "target"));
    CHECK(contains(message, "File too large"));
    CHECK(contains(message, "unchanged"));
    CHECK(read_text(scratch / "target") == "old");
    CHECK(scratch.file_count() == 1);
  }
}

TEST_CASE("an unwritable folder raises FileError", "[io][file]") {
  Scratch const scratch;
  std::filesystem::create_directory(scratch / "locked");
  std::filesystem::permissions(scratch / "locked", std::filesystem::perms::owner_read);
  std::filesystem::permissions(scratch.folder(), std::filesystem::perms::all);
  std::string const message =
      message_in_child(become_nobody, [&] { io::write_file(scratch / "locked" / "x", std::string("x")); });
  CHECK(contains(message, "write_file: expected to create a file beside"));
  CHECK(contains(message, "Permission denied"));
  std::string const nowhere =
      message_of<FileError>([&] { io::write_file(scratch / "no" / "such" / "x", std::string("x")); });
  CHECK(contains(nowhere, "No such file"));
}

TEST_CASE("a target that cannot be replaced raises FileError and leaves no temporary", "[io][file]") {
  Scratch const scratch;
  std::filesystem::create_directory(scratch / "folder");
  std::string const message =
      message_of<FileError>([&] { io::write_file(scratch / "folder", std::string("x")); });
  CHECK(contains(message, "to rename to"));
  CHECK(scratch.file_count() == 1);
}
