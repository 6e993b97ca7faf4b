#include <optional>
#include <string>

#include <tests/io/scratch.hpp>
#include <tests/support/catch.hpp>

#include <diffsiam/io/json.hpp>
#include <diffsiam/io/json_lines.hpp>
#include <diffsiam/io/safetensors_header.hpp>

using namespace diffsiam;
using namespace diffsiam::test;

namespace {

std::string nested(std::size_t levels) {
  return std::string(levels, '[') + std::string(levels, ']');
}

std::string refusal(std::string const& text) {
  return message_of<FileError>([&] { (void)io::parse_json<FileError>(text, "read", "settings"); });
}

}  // namespace

TEST_CASE("The depth of JSON is told without parsing it, and brackets in strings are none", "[io][json]") {
  CHECK(io::json_depth("") == 0);
  CHECK(io::json_depth("7") == 0);
  CHECK(io::json_depth(R"({"a": [1, {"b": []}], "c": {}})") == 4);
  CHECK(io::json_depth(R"({"[[[\"[[": "\\", "x": []})") == 2);
  CHECK(io::json_depth("]]][") == 1);
  CHECK(io::json_depth(R"("\)") == 0);
}

TEST_CASE("JSON that is no JSON, nested without end, or cut by a NUL is refused with a short reason",
          "[io][json]") {
  CHECK(io::parse_json<FileError>(R"({"a": 1})", "read", "settings").at("a") == 1);
  CHECK(io::parse_json<FileError>(nested(io::json_depth_limit), "read", "settings").is_array());
  CHECK(refusal(nested(io::json_depth_limit + 1)) ==
        "read: expected settings, got 101 levels; at most 100 are read");
  CHECK(contains(refusal(nested(1000000)), "1000000 levels"));
  CHECK(refusal(std::string("{}\0", 3)) == "read: expected settings, got a NUL in byte 2");
  CHECK(contains(refusal("{\"a\":"), "parse error"));
  CHECK(refusal("{\"" + std::string(100000, 'x')).size() < 300);
}

TEST_CASE("Lines of JSON that are nested without end are refused with their number", "[io][json]") {
  Scratch const scratch;
  io::write_file(scratch / "lines", "{}\n{\"a\":" + nested(1000000) + "}\n");
  std::string const message =
      message_of<FileError>([&] { (void)io::JsonLines::resume(scratch / "lines", 1); });
  CHECK(contains(message, "a JSON object in line 2"));
  CHECK(message.size() < 300);
}

TEST_CASE("A name that an object has twice is found, among many, and none where objects differ",
          "[io][json]") {
  CHECK(io::name_given_twice(R"({"a": 1, "b": {"a": 2}, "c": [{"a": 3}, {"a": 4}]})") == std::nullopt);
  CHECK(io::name_given_twice(R"({"a": 1, "b": {"c": 2, "d": {"c": 1}, "c": 3}})") == "c");
  CHECK(io::name_given_twice(R"(["a", "a"])") == std::nullopt);
  CHECK(io::name_given_twice("{\"a\": 1, ") == std::nullopt);
  std::string many = "{";
  for (int i = 0; i < 100000; ++i) many += "\"" + std::to_string(i) + "\":{},";
  CHECK(io::name_given_twice(many + "\"x\":0}") == std::nullopt);
  CHECK(io::name_given_twice(many + "\"7\":0}") == "7");
}

TEST_CASE("A header of very many tensors is read", "[io][safetensors]") {
  std::string header = "{";
  for (int i = 0; i < 30000; ++i)
    header += std::string(i == 0 ? "" : ",") + "\"" + std::to_string(i) +
              R"(":{"dtype":"U8","shape":[0],"data_offsets":[0,0]})";
  CHECK(io::parse_safetensors_header(header + "}", 0, "many").tensors.size() == 30000);
}
