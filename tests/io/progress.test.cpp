#include <cmath>
#include <limits>
#include <string>

#include <tests/io/scratch.hpp>
#include <tests/support/catch.hpp>

#include <diffsiam/io/progress.hpp>

using diffsiam::io::ProgressBar;
using diffsiam::test::contains;

TEST_CASE("a progress line shows bar, percent, count, rate and time left", "[io][progress]") {
  ProgressBar const bar{.total = 2000, .label = "denoiser", .unit = "steps", .width = 10, .ascii = true};
  CHECK(bar.line(900, 60.0, "loss 0.031") ==
        "denoiser  ####------   45%  900/2000  15 steps/s  1:13 left  loss 0.031");
  CHECK(bar.line(0, 0.0) == "denoiser  ----------    0%  0/2000");
  CHECK(bar.line(2000, 3725.0) == "denoiser  ##########  100%  2000/2000  0.54 steps/s  took 1:02:05");
  CHECK(contains(ProgressBar{.total = 4, .width = 4}.line(1, 1.0), "\u2501\u2500\u2500\u2500"));
}

TEST_CASE("a resumed run counts its rate from where it started", "[io][progress]") {
  ProgressBar const bar{.total = 1000, .start = 900, .width = 0};
  CHECK(bar.line(950, 10.0) == "   95%  950/1000  5/s  0:10 left");
  CHECK(bar.line(900, 10.0) == "   90%  900/1000");
}

TEST_CASE("rates keep their digits and odd input stays readable", "[io][progress]") {
  ProgressBar const bar{.total = 100000, .width = 0};
  CHECK(contains(bar.line(12345, 10.0), "  1234/s"));
  CHECK(contains(bar.line(1, 1000.0), "  0.001/s  > 100 h left"));
  CHECK(bar.line(200000, 1.0) == "  100%  100000/100000  100000/s  took 0:01");
  CHECK(bar.line(-5, 1.0) == "    0%  0/100000");
  CHECK(bar.line(5, std::nan("")) == "    0%  5/100000");
  CHECK(ProgressBar{.total = 0, .width = 2, .ascii = true}.line(0, 1.0) == "##  100%  0/0");
}

TEST_CASE("a progress line fits into its columns: the bar gets shorter, then the end is cut",
          "[io][progress]") {
  ProgressBar bar{.total = 2000, .label = "denoiser", .unit = "steps", .width = 24, .ascii = true};
  std::string const whole = bar.line(900, 60.0, "loss 0.031  123 images/s");
  REQUIRE(whole.size() == 99);
  bar.columns = 99;
  CHECK(bar.line(900, 60.0, "loss 0.031  123 images/s") == whole);
  bar.columns = 79;
  CHECK(bar.line(900, 60.0, "loss 0.031  123 images/s") ==
        "denoiser  #---   45%  900/2000  15 steps/s  1:13 left  loss 0.031  123 images/s");
  bar.columns = 40;
  CHECK(bar.line(900, 60.0, "loss 0.031") == "denoiser     45%  900/2000  15 steps/s  ");

  // A line of UTF-8 is cut between characters, and counted in them.
  ProgressBar const lines{.total = 4, .label = "\u00e9", .width = 24, .columns = 9};
  CHECK(lines.line(2, 0.0) == "\u00e9     50%");
  ProgressBar const roomy{.total = 4, .label = "\u00e9", .width = 24, .columns = 16};
  CHECK(roomy.line(2, 0.0) == "\u00e9  \u2501\u2500   50%  2/4");
  for (int columns = 1; columns < 120; ++columns) {
    bar.columns = columns;
    CHECK(bar.line(900, 60.0, "loss 0.031  123 images/s").size() <= static_cast<std::size_t>(columns));
  }
}
