// A file that becomes shorter between the moment in which its reader learns its size and that in which it
// reads: FileError that names the file and its end, from every reader, and nothing else is changed.
#include <functional>
#include <string>
#include <vector>

#include <tests/data/files.hpp>
#include <tests/faults/training_run.hpp>
#include <tests/support/catch.hpp>
#include <tests/support/system_calls.hpp>

#include <diffsiam/data/idx.hpp>
#include <diffsiam/io/json_lines.hpp>
#include <diffsiam/io/published_weights.hpp>

using namespace diffsiam;
using diffsiam::test::Scratch;

TEST_CASE("A file that shrinks while it is read raises FileError", "[faults]") {
  Scratch const scratch;
  test::TrainingRun run;
  io::save_weights(scratch / "weights", run.net);
  run.save(scratch / "checkpoint");
  test::write_bytes(scratch / "idx", test::idx_bytes({20, 28, 28}, test::counting(20 * 28 * 28)));
  test::write_bytes(scratch / "gzip",
                    test::gzip(test::idx_bytes({20, 28, 28}, test::counting(20 * 28 * 28))));
  io::write_file(scratch / "lines", std::string("{\"step\":1}\n{\"step\":2}\n"));
  struct Reader {
    std::string file;
    std::function<void(std::filesystem::path const&)> read;
    int openings = 1;
  };
  std::vector<Reader> const readers{
      {"weights", [&](auto const& path) { io::load_weights(path, run.net); }},
      {"checkpoint", [&](auto const& path) { run.load(path); }},
      {"idx", [&](auto const& path) { (void)data::read_idx_images(path); }, 2},
      {"gzip", [&](auto const& path) { (void)data::read_idx_images(path); }, 2},
      {"lines", [&](auto const& path) { (void)io::JsonLines::resume(path, 5); }},
      {"lines", [&](auto const& path) { (void)io::read_file(path); }}};
  std::vector<float> const before = run.state();
  for (Reader const& reader : readers) {
    auto const path = scratch / reader.file;
    std::string const content = test::read_text(path);
    for (int opening = 0; opening < reader.openings; ++opening) {
      for (std::size_t const left :
           {content.size() - 1, content.size() / 2, std::size_t{4}, std::size_t{0}}) {
        std::string message;
        {
          test::AfterSize const shrink{opening, [&] { std::filesystem::resize_file(path, left); }};
          message = test::message_of<FileError>([&] { reader.read(path); });
        }
        CAPTURE(reader.file, opening, left, message);
        CHECK(test::contains(message, reader.file + "'"));
        CHECK(test::contains(message, "the end of the file"));
        CHECK(test::read_text(path).size() == left);
        io::write_file(path, content);
      }
    }
  }
  CHECK(run.state() == before);
}
