// A folder is looked at before it is taken, and what stands there stays unless it is asked for.
#include <string>

#include <tests/io/scratch.hpp>
#include <tests/support/catch.hpp>

#include <diffsiam/train/run_folder.hpp>

using namespace diffsiam;
using diffsiam::test::contains;
using diffsiam::test::message_of;
using diffsiam::test::read_text;
using diffsiam::test::Scratch;
using train::RunFolder;
using train::RunFolderConfig;

namespace {

nlohmann::ordered_json settings(int steps) {
  return {{"steps", steps}, {"backend", "cpu"}};
}
RunFolderConfig config(bool resume = false, bool overwrite = false) {
  return {.resume = resume,
          .overwrite = overwrite,
          .stages = {"denoiser"},
          .others = {"picture.png"},
          .last = "report.html",
          .may_differ = {"backend"}};
}
std::string refusal(std::filesystem::path const& root, int steps, RunFolderConfig const& how) {
  return message_of<Error>([&] { RunFolder const folder{root, settings(steps), how}; });
}

}  // namespace

TEST_CASE("A run takes a folder that is empty or not there, and leaves its settings", "[train][run_folder]") {
  Scratch scratch;
  RunFolder const folder{scratch / "a/b", settings(3), config()};
  CHECK(scratch.file_count() == 0);
  CHECK_FALSE(folder.finished());
  folder.take();
  CHECK(read_text(folder / "config.json") == "{\n  \"steps\": 3,\n  \"backend\": \"cpu\"\n}\n");
}

TEST_CASE("A run that stands in the folder is refused unless it is resumed with its settings",
          "[train][run_folder]") {
  Scratch scratch;
  CHECK_THAT(refusal(scratch.folder(), 3, config(true)), contains("--resume: expected a run in '"));
  RunFolder{scratch.folder(), settings(3), config()}.take();
  CHECK_THAT(refusal(scratch.folder(), 3, config()),
             contains("--out: expected a folder without a run, got an unfinished run in '"));
  CHECK_THAT(refusal(scratch.folder(), 4, config(true)), contains("steps = 3 as in") && contains("got 4"));

  auto other_backend = settings(3);
  other_backend["backend"] = "cuda";
  RunFolder const resumed{scratch.folder(), other_backend, config(true)};
  CHECK_FALSE(resumed.finished());
  resumed.take();
  CHECK_THAT(read_text(scratch / "config.json"), contains("\"cpu\""));  // stays as it was

  io::write_file(scratch / "report.html", "done");
  CHECK(RunFolder{scratch.folder(), settings(3), config(true)}.finished());
  CHECK_THAT(refusal(scratch.folder(), 3, config()), contains("a finished run in"));
}

TEST_CASE("Overwriting removes the files of the run and no others", "[train][run_folder]") {
  Scratch scratch;
  RunFolder{scratch.folder(), settings(3), config()}.take();
  for (char const* const name :
       {"denoiser.safetensors", "denoiser.metrics.jsonl", "picture.png", "report.html", "mine"})
    io::write_file(scratch / name, "old");
  RunFolder const folder{scratch.folder(), settings(4), config(false, true)};
  CHECK(scratch.file_count() == 6);
  folder.take();
  CHECK(scratch.file_count() == 2);
  CHECK(read_text(scratch / "mine") == "old");
  CHECK_THAT(read_text(scratch / "config.json"), contains("\"steps\": 4"));
}

TEST_CASE("Files in the way of a run are named", "[train][run_folder]") {
  Scratch scratch;
  io::write_file(scratch / "file", "");
  CHECK_THAT(refusal(scratch / "file", 3, config()), contains("--out: expected a folder, got"));
  io::write_file(scratch / "config.json", "{\n  \"steps\": 3,\n  oops\n}\n");
  CHECK_THAT(refusal(scratch.folder(), 3, config(true)),
             contains("config.json: expected a JSON object") && contains("line 3, column 3"));
  CHECK_THAT(refusal(scratch.folder(), 3, config(true, true)), contains("resume or to overwrite"));
}

TEST_CASE("A folder that cannot be made is an error of the library's family", "[train][run_folder]") {
  Scratch scratch;
  io::write_file(scratch / "file", "");
  RunFolder const folder{scratch / "file/run", settings(3), config()};
  CHECK_THAT(message_of<FileError>([&] { folder.take(); }),
             contains("to create the folder '") && contains("file/run'"));
}

TEST_CASE("A folder that the system cannot look at is an error of the library", "[train][run_folder]") {
  Scratch scratch;
  std::string const name(300, 'a');  // longer than file systems take
  CHECK_THAT(refusal(scratch / name, 3, config()), contains("path_exists: expected to look at '"));
}
