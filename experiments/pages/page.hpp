// Pieces of the page of results: means over seeds, Markdown tables, and the place between two markers.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <diffsiam/core/error.hpp>
#include <diffsiam/core/shape.hpp>
#include <diffsiam/io/format_number.hpp>

namespace experiments {

namespace ds = diffsiam;

/// A value of each seed.
using BySeed = std::vector<std::pair<std::uint64_t, double>>;

struct Spread {
  std::size_t count = 0;
  double mean = 0;
  std::optional<double> deviation{};  ///< of the sample, over count - 1; of two values or more
};

/// Over the seeds whose value is finite.
[[nodiscard]] inline Spread spread_of(BySeed const& values) {
  Spread result;
  for (auto const& [seed, value] : values)
    if (std::isfinite(value)) ++result.count, result.mean += value;
  if (result.count == 0) return result;
  result.mean /= static_cast<double>(result.count);
  double squares = 0;
  for (auto const& [seed, value] : values)
    if (std::isfinite(value)) squares += (value - result.mean) * (value - result.mean);
  if (result.count > 1) result.deviation = std::sqrt(squares / static_cast<double>(result.count - 1));
  return result;
}

/// first - second for each seed that both have.
[[nodiscard]] inline BySeed paired_difference(BySeed const& first, BySeed const& second) {
  BySeed result;
  for (auto const& [seed, value] : first)
    for (auto const& [other, subtracted] : second)
      if (seed == other) result.emplace_back(seed, value - subtracted);
  return result;
}

/// How numbers of a column are written: value times `scale`.
struct NumberStyle {
  double scale = 1;
  int decimals = 3;
  bool sign = false;  ///< + before what is above zero
};
inline constexpr NumberStyle percent_style{.scale = 100, .decimals = 1};

[[nodiscard]] inline std::string written(double value, NumberStyle style) {
  std::string const digits = ds::io::format_fixed(value * style.scale, style.decimals);
  return style.sign && value > 0 ? "+" + digits : digits;
}
/// "83.5 ± 0.2", "83.5" of one seed, an en dash of none.
[[nodiscard]] inline std::string written(Spread const& spread, NumberStyle style) {
  if (spread.count == 0) return "\u2013";
  std::string const mean = written(spread.mean, style);
  if (!spread.deviation) return mean;
  style.sign = false;
  return mean + " \u00b1 " + written(*spread.deviation, style);
}

/// The first column is set to the left, the others to the right.
struct MarkdownTable {
  std::vector<std::string> header{};
  std::vector<std::vector<std::string>> rows{};
  std::string note{};  ///< stands under it

  /// "" without rows.
  [[nodiscard]] std::string text() const {
    if (rows.empty()) return "";
    std::string result = line(header) + "|---|";
    for (std::size_t i = 1; i < header.size(); ++i) result += "---:|";
    result += "\n";
    for (auto const& row : rows) result += line(row);
    return result + (note.empty() ? "" : "\n" + note + "\n");
  }

 private:
  [[nodiscard]] static std::string line(std::vector<std::string> const& cells) {
    std::string result = "|";
    for (std::string const& cell : cells) result += " " + cell + " |";
    return result + "\n";
  }
};

inline constexpr std::string_view begin_marker = "<!-- results:begin -->";
inline constexpr std::string_view end_marker = "<!-- results:end -->";

namespace detail {

/// Where the one line that is `marker` begins.
[[nodiscard]] inline std::size_t marker_line(std::string_view page, std::string_view marker) {
  std::optional<std::size_t> found;
  std::size_t count = 0;
  for (std::size_t begin = 0; begin < page.size();) {
    std::size_t const end = std::min(page.find('\n', begin), page.size());
    std::string_view line = page.substr(begin, end - begin);
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line == marker) ++count, found = begin;
    begin = end + 1;
  }
  if (count != 1)
    ds::fail<ds::FileError>("between_markers", {"one line '", marker, "' in the page"}, count,
                            "the tables are written between it and its counterpart");
  return *found;
}

}  // namespace detail

/// The page with `content` in place of what stood between the markers, an empty line around it; all else is
/// kept. Throws FileError where a marker is no line of the page, stands there twice, or the end stands first.
[[nodiscard]] inline std::string between_markers(std::string_view page, std::string_view content) {
  std::size_t const begin = detail::marker_line(page, begin_marker);
  std::size_t const end = detail::marker_line(page, end_marker);
  if (end < begin)
    ds::fail<ds::FileError>("between_markers", {"'", begin_marker, "' before '", end_marker, "'"},
                            "the other order");
  std::size_t const after = page.find('\n', begin) + 1;
  std::string result{page.substr(0, after)};
  result.append("\n").append(content).append("\n").append(page.substr(end));
  return result;
}

}  // namespace experiments
