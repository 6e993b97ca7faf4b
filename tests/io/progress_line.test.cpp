#include <sstream>
#include <string>

#include <tests/io/scratch.hpp>
#include <tests/support/catch.hpp>

#include <diffsiam/io/progress_line.hpp>

using diffsiam::io::ProgressBar;
using diffsiam::io::ProgressLine;
using diffsiam::test::contains;
using diffsiam::test::occurrences;

namespace {

ProgressBar bar_of_four() {
  return {.total = 4, .label = "work", .width = 4, .ascii = true};
}

}  // namespace

TEST_CASE("a progress line on a terminal renews itself within the width", "[io][progress]") {
  std::ostringstream out;
  {
    ProgressLine progress{out, bar_of_four(), [] { return 12; }};
    progress(1);
    CHECK(out.str() == "\r\033[Kwork     25");
    progress(2);  // too soon
    CHECK(out.str() == "\r\033[Kwork     25");
    progress.note("look");
    CHECK(contains(out.str(), "work     25\nlook\n"));
  }
  CHECK(out.str().ends_with("look\n"));  // no line is open
}

TEST_CASE("a progress line ends when the work does, or is given up", "[io][progress]") {
  std::ostringstream finished, stopped;
  ProgressLine{finished, bar_of_four(), [] { return 60; }}(4);
  CHECK(occurrences(finished.str(), "\n") == 1);
  ProgressLine{stopped, bar_of_four(), [] { return 60; }}(1);
  CHECK(contains(stopped.str(), "  1/4"));
  CHECK(stopped.str().ends_with("\n"));
}

TEST_CASE("in a log a progress line appears at once, in the end and hardly ever between", "[io][progress]") {
  std::ostringstream out;
  ProgressLine progress{out, bar_of_four()};
  for (int done = 1; done <= 4; ++done) progress(done, "loss 1");
  CHECK(occurrences(out.str(), "\n") == 2);
  CHECK(contains(out.str(), "work  #---   25%  1/4"));
  CHECK(contains(out.str(), "work  ####  100%  4/4"));
  CHECK_FALSE(contains(out.str(), "\033"));
}
