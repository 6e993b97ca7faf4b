// What the programs print: a progress line that renews itself on a terminal and appears now and then in a
// log.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <string>
#include <string_view>
#include <utility>

#include <sys/ioctl.h>
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

/// Columns of the terminal that stdout is; COLUMNS of the environment where it does not say, else 80.
[[nodiscard]] inline int terminal_columns() {
  winsize size{};
  if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) return size.ws_col;
  char const* const given = std::getenv("COLUMNS");
  int const columns = given == nullptr ? 0 : std::atoi(given);
  return columns > 0 ? columns : 80;
}

/// Shows how far a stage is: ten times a second on a terminal, within its width; every ten seconds elsewhere.
class Progress {
 public:
  Progress(std::string label, std::int64_t total, std::string unit, std::int64_t start = 0)
      : bar_{.total = total, .label = std::move(label), .unit = std::move(unit), .start = start} {}
  Progress(Progress const&) = delete;
  Progress& operator=(Progress const&) = delete;
  /// What is printed next begins a line of its own, though the stage was stopped.
  ~Progress() {
    if (open_) std::printf("\n");
    std::fflush(stdout);
  }

  void operator()(std::int64_t done, std::string_view suffix = {}) {
    bool const finished = done >= bar_.total;
    double const now = seconds_since(start_);
    if (!finished && now - shown_ < (terminal_ ? 0.1 : 10)) return;
    shown_ = now;
    // The last column stays free: some terminals go on in the next line once it is written.
    if (terminal_) bar_.columns = std::max(1, terminal_columns() - 1);
    std::string const line = bar_.line(done, now, suffix);
    std::printf(terminal_ ? "\r\033[K%s" : "%s\n", line.c_str());
    open_ = terminal_ && !finished;
    if (terminal_ && finished) std::printf("\n");
    std::fflush(stdout);
  }

 private:
  diffsiam::io::ProgressBar bar_;
  Clock::time_point start_ = Clock::now();
  double shown_ = -1e9;
  bool terminal_ = isatty(STDOUT_FILENO) != 0;
  bool open_ = false;  ///< a line is printed that has not ended
};

}  // namespace example
