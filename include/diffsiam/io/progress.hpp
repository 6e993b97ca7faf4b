// One line about how far a run is: bar, percent, rate, time left. Only the text; printing it is the
// program's.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string>
#include <string_view>

#include <diffsiam/io/markup.hpp>

namespace diffsiam::io {

namespace detail {

/// Seconds as 0:07, 12:34 or 1:02:03.
[[nodiscard]] inline std::string clock_time(double seconds) {
  if (!(seconds < 360000.0)) return "> 100 h";
  auto const whole = static_cast<std::int64_t>(std::max(seconds, 0.0) + 0.5);
  auto const two = [](std::int64_t number) { return (number < 10 ? "0" : "") + std::to_string(number); };
  std::int64_t const hours = whole / 3600;
  std::int64_t const minutes = whole / 60 % 60;
  return (hours > 0 ? std::to_string(hours) + ":" + two(minutes) : std::to_string(minutes)) + ":" +
         two(whole % 60);
}

}  // namespace detail

/// ProgressBar{.total = 2000, .label = "denoiser", .unit = "steps"}.line(900, 60.0, "loss 0.031"):
/// denoiser  ━━━━━━━━━━━─────────────  45%  900/2000  15 steps/s  1:13 left  loss 0.031
struct ProgressBar {
  std::int64_t total = 0;
  std::string label{};
  std::string unit{};      ///< of `total`, after the rate
  std::int64_t start = 0;  ///< done before the clock started, in a resumed run
  int width = 24;
  bool ascii = false;  ///< # and - in place of lines

  /// `done` in [start, total], `elapsed_seconds` since the start. Values outside are clamped; a rate that is
  /// not known yet is left out.
  [[nodiscard]] std::string line(std::int64_t done, double elapsed_seconds,
                                 std::string_view suffix = {}) const {
    std::int64_t const end = std::max<std::int64_t>(total, 0);
    std::int64_t const now = std::clamp<std::int64_t>(done, 0, end);
    double const share = end == 0 ? 1.0 : static_cast<double>(now) / static_cast<double>(end);
    auto const filled = static_cast<int>(share * std::max(width, 0));
    std::string text = label.empty() ? std::string() : label + "  ";
    for (int cell = 0; cell < width; ++cell)
      text += cell < filled ? (ascii ? "#" : "\u2501") : (ascii ? "-" : "\u2500");
    std::string const percent = std::to_string(static_cast<int>(share * 100));
    text += "  " + std::string(3 - std::min<std::size_t>(percent.size(), 3), ' ') + percent + "%  " +
            std::to_string(now) + "/" + std::to_string(end);

    double const rate = static_cast<double>(now - start) / elapsed_seconds;
    if (now > start && elapsed_seconds > 0 && std::isfinite(rate)) {
      text += "  " + format_number(rate, rate < 100 ? 2 : 3 + static_cast<int>(std::log10(rate / 100))) +
              (unit.empty() ? "" : " " + unit) + "/s";
      text += now < end ? "  " + detail::clock_time(static_cast<double>(end - now) / rate) + " left"
                        : "  took " + detail::clock_time(elapsed_seconds);
    }
    if (!suffix.empty()) text.append("  ").append(suffix);
    return text;
  }
};

}  // namespace diffsiam::io
