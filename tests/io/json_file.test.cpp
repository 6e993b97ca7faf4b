#include <string>

#include <tests/io/scratch.hpp>
#include <tests/support/catch.hpp>

#include <diffsiam/io/json_file.hpp>

using namespace diffsiam;
using diffsiam::test::contains;
using diffsiam::test::message_of;
using diffsiam::test::Scratch;

TEST_CASE("an object is read from a file, and what is none is named with its place", "[io][json_file]") {
  Scratch scratch;
  auto const path = scratch / "settings.json";
  auto const read = [&](std::string const& text) {
    io::write_file(path, text);
    return io::read_json_object(path);
  };
  CHECK(read("{\"subsets\": 16}").at("subsets") == 16);
  CHECK_THAT(message_of<FileError>([&] { (void)read("[1]"); }),
             contains("settings.json: expected a JSON object, got array"));
  CHECK_THAT(message_of<FileError>([&] { (void)read("{\n \"a\": oops}"); }), contains("line 2, column 7"));
  CHECK_THAT(message_of<FileError>([&] { (void)io::read_json_object(scratch / "none"); }), contains("none"));
}
