#include <string>
#include <string_view>
#include <utility>

#include <tests/io/scratch.hpp>
#include <tests/support/catch.hpp>

#include <diffsiam/io/append_file.hpp>

using namespace diffsiam;
using diffsiam::test::contains;
using diffsiam::test::Scratch;
using io::AppendFile;

TEST_CASE("Records are on file at once, whole or not at all", "[io][append_file]") {
  Scratch const scratch;
  auto const path = scratch / "records";
  AppendFile file{path, O_EXCL, {"Writer", "record"}};
  file.append("one ");
  CHECK(test::read_text(path) == "one ");
  AppendFile moved = std::move(file);
  moved.append("two ");
  CHECK(moved.path() == path);
  AppendFile{path, 0, {"Writer", "record"}}.append("three");
  CHECK(test::read_text(path) == "one two three");

  CHECK_THROWS_WITH((AppendFile{path, O_EXCL, {"Writer", "record"}}),
                    contains("Writer: expected to open") && contains("File exists"));
  std::string const message = test::message_in_child([] { test::limit_file_size(20); },
                                                     [&] { moved.append("more than there is room for"); });
  CHECK(test::contains(message, "Writer: expected to append a record to"));
  CHECK(test::contains(message, "the records before are intact"));
  CHECK(test::read_text(path) == "one two three");
  AppendFile{path, O_TRUNC, {"Writer", "record"}}.append("new");
  CHECK(test::read_text(path) == "new");
}
