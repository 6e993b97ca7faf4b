#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

#include <sys/stat.h>
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
  CHECK(contains(message, "folder' to be a regular file, got a folder"));
  CHECK(scratch.file_count() == 1);
}

TEST_CASE("what is written to a link is written to where it leads", "[io][file]") {
  Scratch const scratch;
  std::filesystem::create_directory(scratch / "elsewhere");
  std::filesystem::path const file = scratch / "elsewhere" / "file";
  auto const is_link = [&](std::string const& name) { return std::filesystem::is_symlink(scratch / name); };

  io::write_file(file, std::string("old"));
  std::filesystem::create_symlink("elsewhere/file", scratch / "relative");
  std::filesystem::create_symlink(file, scratch / "absolute");
  std::filesystem::create_symlink("absolute", scratch / "link to a link");
  for (char const* const link : {"relative", "absolute", "link to a link"}) {
    io::write_file(scratch / link, std::string(link));
    CHECK(is_link(link));
    CHECK(read_text(file) == link);
  }
  std::filesystem::create_symlink("elsewhere/new", scratch / "to nothing");
  io::write_file(scratch / "to nothing", std::string("new"));
  CHECK(is_link("to nothing"));
  CHECK(read_text(scratch / "elsewhere" / "new") == "new");

  std::filesystem::create_symlink("circle", scratch / "circle");
  CHECK(contains(message_of<FileError>([&] { io::write_file(scratch / "circle", std::string("x")); }),
                 "a file behind the link"));
  CHECK(is_link("circle"));
}

TEST_CASE("a replaced file keeps its mode, and a new one has the usual one", "[io][file]") {
  using std::filesystem::perms;
  Scratch const scratch;
  auto const mode = [&](char const* name) { return std::filesystem::status(scratch / name).permissions(); };
  mode_t const before = ::umask(027);
  io::write_file(scratch / "new", std::string("x"));
  for (perms const kept : {perms{0600}, perms{0664}, perms{0755}, perms{0444}}) {
    io::write_file(scratch / "old", std::string("x"));
    std::filesystem::permissions(scratch / "old", kept);
    io::write_file(scratch / "old", std::string("y"));
    CHECK(mode("old") == kept);
    CHECK(read_text(scratch / "old") == "y");
  }
  ::umask(before);
  CHECK(mode("new") == perms{0640});
}

TEST_CASE("a file that exists is one that can be read", "[io][file]") {
  Scratch const scratch;
  CHECK_FALSE(io::file_exists(scratch / "none"));
  CHECK_FALSE(io::file_exists(scratch / "none" / "below"));
  std::filesystem::create_symlink("none", scratch / "to nothing");
  CHECK_FALSE(io::file_exists(scratch / "to nothing"));
  io::write_file(scratch / "file", std::string("x"));
  CHECK(io::file_exists(scratch / "file"));
  std::filesystem::create_symlink("file", scratch / "link");
  CHECK(io::file_exists(scratch / "link"));
  CHECK(contains(message_of<FileError>([&] { (void)io::file_exists(scratch.folder()); }), "got a folder"));
  CHECK(contains(message_of<FileError>([] { (void)io::file_exists("/dev/null"); }), "a device or a pipe"));

  std::filesystem::permissions(scratch / "file", std::filesystem::perms::none);
  std::filesystem::permissions(scratch.folder(), std::filesystem::perms::all);
  CHECK(contains(message_in_child(become_nobody, [&] { (void)io::file_exists(scratch / "link"); }),
                 "Permission denied"));
}

TEST_CASE("a folder is told from everything else, and from what cannot be looked at", "[io][file]") {
  Scratch const scratch;
  io::write_file(scratch / "file", "");
  std::filesystem::create_directory_symlink(scratch.folder(), scratch / "link");
  CHECK(io::is_folder(scratch.folder()));
  CHECK(io::is_folder(scratch / "link"));
  CHECK_FALSE(io::is_folder(scratch / "file"));
  CHECK_FALSE(io::is_folder(scratch / "nothing"));
  CHECK_FALSE(io::is_folder(scratch / std::string(300, 'a')));  // longer than file systems take
}

TEST_CASE("reading a pipe that nobody writes into does not wait", "[io][file]") {
  Scratch const scratch;
  REQUIRE(::mkfifo((scratch / "pipe").c_str(), 0600) == 0);
  CHECK(contains(message_of<FileError>([&] { (void)io::read_file(scratch / "pipe"); }), "regular file"));
  CHECK(contains(message_of<FileError>([&] { io::write_file(scratch / "pipe", std::string("x")); }),
                 "a device or a pipe"));
}
