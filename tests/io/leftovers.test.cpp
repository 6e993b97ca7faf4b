#include <string>

#include <sys/wait.h>
#include <tests/io/scratch.hpp>
#include <tests/support/catch.hpp>
#include <unistd.h>

#include <diffsiam/io/file.hpp>
#include <diffsiam/io/leftovers.hpp>

using namespace diffsiam;

TEST_CASE("What a killed process left of a file is removed, what others write is not", "[io][leftovers]") {
  test::Scratch const scratch;
  auto const target = scratch / "run.safetensors";
  io::write_file(target, "good");
  pid_t const child = fork();
  if (child == 0) {
    io::AtomicFile file(target);
    file.write(std::string_view("half"));
    kill(getpid(), SIGKILL);
  }
  int status = 0;
  REQUIRE(waitpid(child, &status, 0) == child);
  REQUIRE(WIFSIGNALED(status));
  REQUIRE(scratch.file_count() == 2);

  std::string const alive = "run.safetensors.tmp-" + std::to_string(getppid()) + "-0";
  io::write_file(scratch / alive, "another's");
  io::write_file(scratch / "run.safetensors.tmp-notes", "the user's");
  io::write_file(scratch / "run.safetensors.tmp-999999999", "no such name");
  io::write_file(scratch / "other.safetensors.tmp-999999999-0", "of another file");
  CHECK(io::remove_leftovers(target) == 1);
  CHECK(io::remove_leftovers(target) == 0);
  CHECK(scratch.file_count() == 5);
  CHECK(test::read_text(target) == "good");
  CHECK(io::remove_leftovers(scratch / "missing" / "file") == 0);
}
