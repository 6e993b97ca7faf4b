// ProgressLine: a progress bar on a stream of the program. On a terminal it is updated in place; in a log it
// appears now and then.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <iostream>
#include <string>
#include <string_view>
#include <utility>

#include <sys/ioctl.h>
#include <unistd.h>

#include <diffsiam/io/progress.hpp>

namespace diffsiam::io {

/// Columns of the terminal of `out`, if it is std::cout, std::cerr or std::clog. If the terminal does not
/// tell, COLUMNS of the environment, or 80. 0 if `out` is not a terminal.
[[nodiscard]] inline int terminal_columns(std::ostream const& out) {
  int descriptor = -1;
  if (&out == &std::cout) descriptor = STDOUT_FILENO;
  if (&out == &std::cerr || &out == &std::clog) descriptor = STDERR_FILENO;
  if (descriptor < 0 || ::isatty(descriptor) == 0) return 0;
  winsize size{};
  if (::ioctl(descriptor, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) return size.ws_col;
  char const* const given = std::getenv("COLUMNS");
  int const columns = given == nullptr ? 0 : std::atoi(given);
  return columns > 0 ? columns : 80;
}

/// ProgressLine progress{std::cout, {.total = 50, .label = "sampling", .unit = "steps"}};
/// for (int done = 1; done <= 50; ++done) { ...; progress(done); }
class ProgressLine {
 public:
  /// `columns` returns the width of the terminal before each line, 0 if there is none. By default it is that
  /// of the stream.
  ProgressLine(std::ostream& out, ProgressBar bar, std::function<int()> columns = {})
      : out_(&out), bar_(std::move(bar)), columns_(std::move(columns)) {
    if (!columns_) columns_ = [&out] { return terminal_columns(out); };
  }
  ProgressLine(ProgressLine const&) = delete;
  ProgressLine& operator=(ProgressLine const&) = delete;
  /// Ends the line, so that the next output begins on a new one even if the work was stopped.
  ~ProgressLine() {
    if (open_) *out_ << '\n' << std::flush;
  }

  /// Shows the progress, within the width of a terminal: at most ten times a second on a terminal, every ten
  /// seconds elsewhere. The last line is always shown.
  void operator()(std::int64_t done, std::string_view suffix = {}) {
    bool const finished = done >= bar_.total;
    double const now = std::chrono::duration<double>(Clock::now() - start_).count();
    if (!finished && now - shown_at_ < (on_terminal_ ? 0.1 : 10)) return;
    shown_at_ = now;
    int const columns = columns_();
    on_terminal_ = columns > 0;
    // The last column stays empty, because some terminals continue on the next line after it.
    bar_.columns = on_terminal_ ? std::max(1, columns - 1) : 0;
    if (on_terminal_) *out_ << "\r\033[K";
    *out_ << bar_.line(done, now, suffix);
    open_ = on_terminal_ && !finished;
    if (!open_) *out_ << '\n';
    *out_ << std::flush;
  }
  /// Prints a line between; the progress continues below it.
  void note(std::string_view line) {
    if (std::exchange(open_, false)) *out_ << '\n';
    *out_ << line << '\n' << std::flush;
  }

 private:
  using Clock = std::chrono::steady_clock;

  std::ostream* out_;
  ProgressBar bar_;
  std::function<int()> columns_;
  Clock::time_point start_ = Clock::now();
  double shown_at_ = -1e9;
  bool on_terminal_ = false;
  bool open_ = false;  ///< a line is shown that has not ended yet
};

}  // namespace diffsiam::io
