#include <tests/data/files.hpp>
#include <tests/support/catch.hpp>

#include <diffsiam/data/picture_files.hpp>

using namespace diffsiam;
using data::list_pictures;
using Strings = std::vector<std::string>;

namespace {

void touch(std::filesystem::path const& path) {
  std::filesystem::create_directories(path.parent_path());
  io::write_file(path, "x");
}
void write(std::filesystem::path const& path, std::string const& text) {
  io::write_file(path, text);
}

}  // namespace

TEST_CASE("pictures in sub-folders are sorted, and the folders are their classes") {
  test::Scratch const scratch;
  for (char const* const path : {"dog/b.JPG", "cat/sub/z.png", "cat/a.webp", "dog/notes.txt", ".hidden/c.png",
                                 "dog/.d.png", "empty/readme"})
    touch(scratch / path);
  auto const files = list_pictures(scratch.folder());
  REQUIRE(files.paths == Strings{"cat/a.webp", "cat/sub/z.png", "dog/b.JPG"});
  REQUIRE(files.classes == Strings{"cat", "dog"});
  REQUIRE(files.labels == std::vector{0, 0, 1});
}

TEST_CASE("pictures without a class each, or of one folder alone, have no labels") {
  test::Scratch const scratch;
  touch(scratch / "one/a.png");
  touch(scratch / "one/b.png");
  REQUIRE(list_pictures(scratch.folder()).labels.empty());
  touch(scratch / "two/c.png");
  touch(scratch / "d.png");
  auto const files = list_pictures(scratch.folder());
  REQUIRE(files.paths.size() == 4);
  REQUIRE(files.labels.empty());
  REQUIRE(files.classes.empty());
}

TEST_CASE("classes that are numbers are sorted by value") {
  test::Scratch const scratch;
  for (char const* const path : {"10/a.png", "9/a.png", "2/a.png"}) touch(scratch / path);
  auto const files = list_pictures(scratch.folder());
  REQUIRE(files.classes == Strings{"2", "9", "10"});
  REQUIRE(files.paths == Strings{"10/a.png", "2/a.png", "9/a.png"});
  REQUIRE(files.labels == std::vector{2, 0, 1});
}

TEST_CASE("a folder without pictures, and none, are refused by name") {
  test::Scratch const scratch;
  touch(scratch / "a.txt");
  REQUIRE_THROWS_WITH(list_pictures(scratch.folder()),
                      test::contains("PNG, JPEG or WebP") && test::contains(scratch.folder().string()));
  REQUIRE_THROWS_WITH(list_pictures(scratch / "nowhere"), test::contains("nowhere"));
  REQUIRE_THROWS_AS(list_pictures(scratch / "a.txt"), FileError);
}

TEST_CASE("a table gives labels, with or without a header") {
  test::Scratch const scratch;
  for (char const* const path : {"a.png", "sub/b.png", "comma, \"quoted\".png", "unnamed.png"})
    touch(scratch / path);
  write(scratch / "labels.csv",
        "file,label,more\r\nsub/b.png,dog,1\r\na.png,cat,2\r\n\r\n\"comma, \"\"quoted\"\".png\",dog\r\n");
  auto const files = list_pictures(scratch.folder(), scratch / "labels.csv");
  REQUIRE(files.paths == Strings{"a.png", "comma, \"quoted\".png", "sub/b.png"});
  REQUIRE(files.classes == Strings{"cat", "dog"});
  REQUIRE(files.labels == std::vector{0, 1, 1});
  write(scratch / "plain.csv", "a.png,7\nsub/b.png,11");
  REQUIRE(list_pictures(scratch.folder(), scratch / "plain.csv").classes == Strings{"7", "11"});
}

TEST_CASE("a table that does not fit the folder is refused with the line") {
  test::Scratch const scratch;
  touch(scratch / "a.png");
  auto const refused = [&](std::string const& text, std::string const& part) {
    write(scratch / "t.csv", text);
    REQUIRE_THROWS_WITH(list_pictures(scratch.folder(), scratch / "t.csv"), test::contains(part));
  };
  refused("a.png\n", "'a.png', entry 1");
  refused("a.png,\n", "entry 1");
  refused("a.png,x\na.png,y\n", "'a.png' twice");
  refused("a.png,x\nmissing.png,y\n", "missing.png");
  refused("file,label\n", "none");
  REQUIRE_THROWS_AS(list_pictures(scratch.folder(), scratch / "no.csv"), FileError);
}
