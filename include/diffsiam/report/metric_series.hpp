// metric_series: a metric of a training run as a line of a chart.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <filesystem>
#include <limits>
#include <string>
#include <string_view>
#include <utility>

#include <diffsiam/core/error.hpp>
#include <diffsiam/io/json_lines.hpp>
#include <diffsiam/report/chart.hpp>

namespace diffsiam::report {

namespace detail {

/// The number under `key`. NaN if there is none or if it is null, which JSON lines store for NaN.
[[nodiscard]] inline double metric(nlohmann::ordered_json const& record, std::string_view key,
                                   std::filesystem::path const& path) {
  auto const found = record.find(key);
  if (found == record.end() || found->is_null()) return std::numeric_limits<double>::quiet_NaN();
  if (!found->is_number())
    fail<FileError>("metric_series", {"numbers as \"", key, "\" in '", path.string(), "'"},
                    found->type_name());
  return found->get<double>();
}

}  // namespace detail

/// `key` over "step" from the JSON lines of a run. Each point is the mean of a hundredth of a long run, so
/// that the line can be read. Steps without the metric, or where it is not finite, are left out; if no step
/// is left, the line is interrupted. Throws FileError for a file that cannot be read and for values that are
/// not numbers.
///
///     report.section("Training").chart({.series = {metric_series("run/denoiser.metrics.jsonl", "loss")}});
[[nodiscard]] inline Series metric_series(std::filesystem::path const& path, std::string_view key,
                                          std::string name = {}) {
  auto const records = io::read_json_lines(path);
  std::size_t const window = std::max<std::size_t>(1, records.size() / 100);
  Series series{.name = std::move(name)};
  for (std::size_t from = 0; from + window <= records.size(); from += window) {
    double sum = 0, count = 0;
    for (std::size_t i = from; i < from + window; ++i) {
      double const value = detail::metric(records[i], key, path);
      if (!std::isfinite(value)) continue;
      sum += value;
      ++count;
    }
    series.x.push_back(detail::metric(records[from + window - 1], "step", path));
    series.y.push_back(sum / count);
  }
  return series;
}

}  // namespace diffsiam::report
