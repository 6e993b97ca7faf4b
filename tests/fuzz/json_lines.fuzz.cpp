// JSON lines: reading, resuming, and appending behind what was kept; and the file of results of the examples.
#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include <tests/fuzz/fuzz.hpp>
#include <tests/io/scratch.hpp>

#include <diffsiam/io/json_lines.hpp>

#include <experiments/results.hpp>

using namespace diffsiam;
using namespace diffsiam::fuzz;

std::vector<Bytes> fuzz::seeds() {
  return {
      bytes_of(""), bytes_of("{\"config\":7}\n{\"step\":1,\"loss\":0.25}\n{\"step\":3,\"x\":null}\n{\"st"),
      bytes_of(
          "{\"data\":\"shapes\",\"method\":\"pca\",\"dims\":64,\"seed\":1,\"measure\":\"mig\",\"value\":0.5,"
          "\"seconds\":1e2}\n{\"data\":\"\",\"measure\":\"x\",\"value\":null,\"step\":30}\n")};
}

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  static bool const in_memory =
      ::setenv("TMPDIR", "/dev/shm", 0) == 0 && std::filesystem::is_directory("/dev/shm");
  static test::Scratch const scratch;
  (void)in_memory;
  auto const path = scratch / "lines";
  std::string_view const text = text_of({data, size});
  // The text itself, and each byte of it as some forty of JSON at the most.
  Budget const budget{.factor = 64};
  io::write_file(path, text);
  reads(size, budget, [&] { experiments::ResultFile const results{path}; });
  bool const good = reads(size, budget, [&] {
    io::JsonLines lines = io::JsonLines::resume(path, 2);
    lines.append({{"step", 3}});
  });
  if (!good) {
    require(test::read_text(path) == text, "a file that cannot be resumed stays");
    return 0;
  }
  auto const records = io::read_json_lines(path);
  require(!records.empty() && records.back() == nlohmann::ordered_json{{"step", 3}},
          "a line is appended whole");
  require(records.size() <= 1 + static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n')),
          "no line comes from nowhere");
  ++accepted;
  return 0;
}
