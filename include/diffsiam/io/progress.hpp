// ProgressBar: one line of text about the progress of a run, with bar, percentage, rate and time left. The
// program prints it.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string>
#include <string_view>

#include <diffsiam/io/format_number.hpp>

namespace diffsiam::io {

namespace detail {

/// Seconds as 0:07, 12:34 or 1:02:03.
[[nodiscard]] inline std::string clock_time(double seconds) {
  if (!(seconds < 360000.0)) return "> 100 h";
  auto const whole = std::int64_t{std::lround(std::max(seconds, 0.0))};
  auto const two = [](std::int64_t number) { return (number < 10 ? "0" : "") + std::to_string(number); };
  std::int64_t const hours = whole / 3600;
  std::int64_t const minutes = whole / 60 % 60;
  return (hours > 0 ? std::to_string(hours) + ":" + two(minutes) : std::to_string(minutes)) + ":" +
         two(whole % 60);
}

/// In UTF-8 a character begins with a byte that is not a continuation. Each one counts as one column.
[[nodiscard]] inline bool begins_character(char byte) {
  return (static_cast<unsigned char>(byte) & 0xC0U) != 0x80U;
}
[[nodiscard]] inline int columns_of(std::string_view text) {
  return static_cast<int>(std::count_if(text.begin(), text.end(), begins_character));
}
[[nodiscard]] inline std::string first_columns(std::string_view text, int columns) {
  std::size_t end = 0;
  for (int seen = 0; end < text.size(); ++end)
    if (begins_character(text[end]) && ++seen > columns) break;
  return std::string(text.substr(0, end));
}

}  // namespace detail

/// ProgressBar{.total = 2000, .label = "denoiser", .unit = "steps"}.line(900, 60.0, "loss 0.031"):
/// denoiser  ━━━━━━━━━━━─────────────  45%  900/2000  15 steps/s  1:13 left  loss 0.031
struct ProgressBar {
  std::int64_t total = 0;
  std::string label{};
  std::string unit{};      ///< of `total`, shown after the rate
  std::int64_t start = 0;  ///< what a resumed run had done before the clock started
  int width = 24;          ///< of the bar, in columns
  bool ascii = false;      ///< # and - instead of lines
  int columns = 0;         ///< the most columns of a line, as on a terminal; 0: no limit

  /// `done` is in [start, total], `elapsed_seconds` since the start. Values outside are clamped, and an
  /// unknown rate is left out. If the line is wider than `columns`, first the bar becomes shorter, then the
  /// end is cut off.
  [[nodiscard]] std::string line(std::int64_t done, double elapsed_seconds,
                                 std::string_view suffix = {}) const {
    std::int64_t const end = std::max<std::int64_t>(total, 0);
    std::int64_t const now = std::clamp<std::int64_t>(done, 0, end);
    double const share = end == 0 ? 1.0 : static_cast<double>(now) / static_cast<double>(end);
    std::string const head = label.empty() ? std::string() : label + "  ";
    std::string const percent = std::to_string(static_cast<int>(share * 100));
    std::string tail = "  " + std::string(3 - std::min<std::size_t>(percent.size(), 3), ' ') + percent +
                       "%  " + std::to_string(now) + "/" + std::to_string(end);

    double const rate = static_cast<double>(now - start) / elapsed_seconds;
    if (now > start && elapsed_seconds > 0 && std::isfinite(rate)) {
      tail += "  " + format_number(rate, rate < 100 ? 2 : 3 + static_cast<int>(std::log10(rate / 100))) +
              (unit.empty() ? "" : " " + unit) + "/s";
      tail += now < end ? "  " + detail::clock_time(static_cast<double>(end - now) / rate) + " left"
                        : "  took " + detail::clock_time(elapsed_seconds);
    }
    if (!suffix.empty()) tail.append("  ").append(suffix);

    int cells = std::max(width, 0);
    if (columns > 0) cells = std::clamp(columns - detail::columns_of(head + tail), 0, cells);
    auto const filled = static_cast<int>(share * cells);
    std::string text = head;
    for (int cell = 0; cell < cells; ++cell)
      text += cell < filled ? (ascii ? "#" : "\u2501") : (ascii ? "-" : "\u2500");
    text += tail;
    return columns > 0 ? detail::first_columns(text, columns) : text;
  }
};

}  // namespace diffsiam::io
