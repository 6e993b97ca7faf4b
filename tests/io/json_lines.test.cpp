#include <cmath>
#include <limits>
#include <string>

#include <tests/io/scratch.hpp>
#include <tests/support/catch.hpp>

#include <diffsiam/io/json_lines.hpp>

using namespace diffsiam;
using namespace diffsiam::test;
using io::JsonLines;

TEST_CASE("each append is one line, on file at once", "[io][json_lines]") {
  Scratch const scratch;
  JsonLines lines = JsonLines::create(scratch / "metrics.jsonl");
  lines.append({{"step", 1}, {"loss", 0.5}});
  CHECK(read_text(scratch / "metrics.jsonl") == "{\"step\":1,\"loss\":0.5}\n");
  lines.append({{"step", 2}, {"loss", std::nan("")}, {"rate", std::numeric_limits<double>::infinity()}});
  lines.append({{"note", "two\nlines \"quoted\" \xff"}});
  CHECK(read_text(scratch / "metrics.jsonl") ==
        "{\"step\":1,\"loss\":0.5}\n{\"step\":2,\"loss\":null,\"rate\":null}\n"
        "{\"note\":\"two\\nlines \\\"quoted\\\" \uFFFD\"}\n");
  CHECK(io::read_json_lines(scratch / "metrics.jsonl").size() == 3);
  CHECK(
      contains(message_of<FileError>([&] { lines.append(3); }), "JsonLines: expected an object, got number"));
}

TEST_CASE("resuming drops the lines of later steps and a torn last line, and keeps the rest",
          "[io][json_lines]") {
  Scratch const scratch;
  auto const path = scratch / "metrics.jsonl";
  io::write_file(
      path,
      std::string(
          "{\"config\":7}\n{\"step\":1}\n{\"step\":3,\"loss\":0.25}\n{\"step\":2}\n{\"step\":4}\n{\"st"));
  {
    JsonLines lines = JsonLines::resume(path, 2);
    CHECK(read_text(path) == "{\"config\":7}\n{\"step\":1}\n{\"step\":2}\n");
    lines.append({{"step", 3}});
  }
  CHECK(read_text(path) == "{\"config\":7}\n{\"step\":1}\n{\"step\":2}\n{\"step\":3}\n");
  JsonLines::resume(scratch / "new.jsonl", 0).append({{"step", 0}});
  CHECK(read_text(scratch / "new.jsonl") == "{\"step\":0}\n");
  CHECK_FALSE(contains(read_text(path), "loss"));
}

TEST_CASE("what was kept on resuming is kept digit for digit", "[io][json_lines]") {
  Scratch const scratch;
  auto const path = scratch / "metrics.jsonl";
  {
    JsonLines::create(path).append(
        {{"step", 1}, {"a", 0.1}, {"b", 1e-300}, {"c", 1.0 / 3}, {"d", 12345678901234567}});
  }
  std::string const before = read_text(path);
  {
    JsonLines const lines = JsonLines::resume(path, 1);
  }
  CHECK(read_text(path) == before);
}

TEST_CASE("a line that is no JSON object stops a resume and leaves the file", "[io][json_lines]") {
  Scratch const scratch;
  auto const path = scratch / "metrics.jsonl";
  std::string const content = "{\"step\":1}\nhello\n{\"step\":2}\n";
  io::write_file(path, content);
  std::string const message = message_of<FileError>([&] { (void)JsonLines::resume(path, 1); });
  CHECK(contains(message, "a JSON object in line 2 of"));
  CHECK(contains(message, "got 'hello'"));
  CHECK(read_text(path) == content);
  io::write_file(path, std::string("[1]\n"));
  CHECK_THROWS_AS(io::read_json_lines(path), FileError);
}

TEST_CASE("a line that ends in bytes of zero is no JSON object", "[io][json_lines]") {
  Scratch const scratch;
  std::string const zeros(3, '\0');
  io::write_file(scratch / "metrics", "{\"step\":1}\n{\"step\":2}" + zeros + "\n");
  CHECK(contains(message_of<FileError>([&] { (void)io::read_json_lines(scratch / "metrics"); }),
                 "a JSON object in line 2 of"));
}

TEST_CASE("a full disk takes a half-written line back", "[io][json_lines]") {
  Scratch const scratch;
  auto const path = scratch / "metrics.jsonl";
  std::string const message = message_in_child([] { limit_file_size(40); },
                                               [&] {
                                                 JsonLines lines = JsonLines::create(path);
                                                 lines.append({{"step", 1}});
                                                 lines.append({{"step", 2}, {"note", std::string(100, 'x')}});
                                               });
  CHECK(contains(message, "JsonLines: expected to append a line to"));
  CHECK(contains(message, "File too large; the lines before are intact"));
  CHECK(read_text(path) == "{\"step\":1}\n");
  CHECK(contains(message_of<FileError>([] { JsonLines::create("/dev/full").append({{"step", 1}}); }),
                 "No space left"));
  CHECK(contains(message_of<FileError>([&] { (void)JsonLines::create(scratch / "no" / "x"); }),
                 "No such file"));
}
