// What the programs print: a progress line that renews itself on a terminal and appears now and then in a
// log.
#pragma once

#include <chrono>
#include <cstdio>
#include <ctime>
#include <string>
#include <string_view>
#include <utility>

#include <unistd.h>

#include <diffsiam/io/progress.hpp>

namespace example {

using Clock = std::chrono::steady_clock;

[[nodiscard]] inline double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

/// Processor time of all threads of this process so far: it depends far less than time that passes on what
/// else runs on the machine.
[[nodiscard]] inline double processor_seconds() {
  return static_cast<double>(std::clock()) / CLOCKS_PER_SEC;
}

/// A line about a stage that has begun.
inline void say(std::string_view line) {
  std::printf("%.*s\n", static_cast<int>(line.size()), line.data());
  std::fflush(stdout);
}

/// Shows how far a stage is: ten times a second on a terminal, every ten seconds elsewhere.
class Progress {
 public:
  Progress(std::string label, std::int64_t total, std::string unit, std::int64_t start = 0)
      : bar_{.total = total, .label = std::move(label), .unit = std::move(unit), .start = start} {}

  void operator()(std::int64_t done, std::string_view suffix = {}) {
    bool const finished = done >= bar_.total;
    double const now = seconds_since(start_);
    if (!finished && now - shown_ < (terminal_ ? 0.1 : 10)) return;
    shown_ = now;
    std::string const line = bar_.line(done, now, suffix);
    std::printf(terminal_ ? "\r\033[K%s" : "%s\n", line.c_str());
    if (terminal_ && finished) std::printf("\n");
    std::fflush(stdout);
  }

 private:
  diffsiam::io::ProgressBar bar_;
  Clock::time_point start_ = Clock::now();
  double shown_ = -1e9;
  bool terminal_ = isatty(STDOUT_FILENO) != 0;
};

}  // namespace example
