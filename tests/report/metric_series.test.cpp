#include <cmath>
#include <string>
#include <vector>

#include <tests/io/scratch.hpp>
#include <tests/support/catch.hpp>

#include <diffsiam/io/json_lines.hpp>
#include <diffsiam/report/metric_series.hpp>

using namespace diffsiam;
using namespace diffsiam::test;

TEST_CASE("a metric of a short run becomes a line with all its points", "[report][metric_series]") {
  Scratch const scratch;
  auto lines = io::JsonLines::create(scratch / "run.jsonl");
  lines.append({{"step", 1}, {"loss", 3.0}});
  lines.append({{"step", 2}, {"loss", 1.5}});
  auto const series = report::metric_series(scratch / "run.jsonl", "loss", "of the denoiser");
  CHECK(series.name == "of the denoiser");
  CHECK(series.x == std::vector<double>{1, 2});
  CHECK(series.y == std::vector<double>{3, 1.5});
}

TEST_CASE("a long run is averaged over a hundredth of its steps", "[report][metric_series]") {
  Scratch const scratch;
  auto lines = io::JsonLines::create(scratch / "run.jsonl");
  for (int step = 1; step <= 300; ++step) lines.append({{"step", step}, {"loss", step}});
  auto const series = report::metric_series(scratch / "run.jsonl", "loss");
  REQUIRE(series.x.size() == 100);
  CHECK(series.x.back() == 300);
  CHECK(series.y.front() == 2);  // of 1, 2, 3
  CHECK(series.y.back() == 299);
}

TEST_CASE("steps without a finite value are left out of the line", "[report][metric_series]") {
  Scratch const scratch;
  auto lines = io::JsonLines::create(scratch / "run.jsonl");
  for (int step = 1; step <= 400; ++step)
    lines.append({{"step", step}, {"loss", step == 2 || (step >= 5 && step <= 8) ? std::nan("") : 1.0}});
  auto const series = report::metric_series(scratch / "run.jsonl", "loss");
  CHECK(series.y.at(0) == 1);
  CHECK(std::isnan(series.y.at(1)));  // all four steps
  CHECK(series.y.at(2) == 1);
  CHECK(std::isnan(report::metric_series(scratch / "run.jsonl", "gone").y.at(0)));
}

TEST_CASE("values that are no numbers are refused with the name of the file", "[report][metric_series]") {
  Scratch const scratch;
  auto lines = io::JsonLines::create(scratch / "run.jsonl");
  lines.append({{"step", 1}, {"loss", "low"}});
  std::string const path = (scratch / "run.jsonl").string();
  CHECK(message_of<FileError>([&] { (void)report::metric_series(path, "loss"); }) ==
        "metric_series: expected numbers as \"loss\" in '" + path + "', got string");
}
