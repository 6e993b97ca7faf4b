// The pictures of the page of results: accuracy while encoders learn, and maps of subsets by factors.
#pragma once

#include <charconv>
#include <cstdio>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <diffsiam/report/chart.hpp>
#include <diffsiam/report/heat_map.hpp>

#include <experiments/pages/page_tables.hpp>

namespace experiments {

/// An <svg> element that begins at 0 0, as a file of its own: on white and with ink of its own, since a page
/// that shows it as a picture lends it no colours.
[[nodiscard]] inline std::string svg_file(std::string svg) {
  constexpr std::string_view current = "currentColor", ink = "#24292f";
  constexpr int margin = 14;
  for (std::size_t at = svg.find(current); at != std::string::npos; at = svg.find(current, at))
    svg.replace(at, current.size(), ink);
  int width = 0, height = 0;
  std::size_t const box = svg.find("viewBox=");
  if (box == std::string::npos ||
      std::sscanf(svg.c_str() + box, "viewBox=\"0 0 %d %d\"", &width, &height) != 2)
    ds::fail<ds::ConfigError>("svg_file", "a picture with viewBox=\"0 0 width height\"", svg.substr(0, 60));
  svg.insert(svg.find(' '), " overflow=\"visible\"");  // a label may reach into the margin
  std::string const w = std::to_string(width + 2 * margin), h = std::to_string(height + 2 * margin),
                    edge = std::to_string(margin);
  return "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"" + w + "\" height=\"" + h + "\" viewBox=\"0 0 " +
         w + " " + h + "\"><rect width=\"" + w + "\" height=\"" + h +
         "\" fill=\"#ffffff\"/><g transform=\"translate(" + edge + " " + edge + ")\">" + svg + "</g></svg>\n";
}

struct PagePicture {
  std::string file, svg;
  std::string alternative;  ///< text for those who do not see it
};

/// Validation accuracy over steps, a line a method, mean over seeds; nothing where no method has it. The
/// denoiser's activations are left out: what they were tried at are time-steps of the noise.
[[nodiscard]] inline std::optional<PagePicture> learning_chart(ResultFile const& results,
                                                               std::string const& data,
                                                               std::string const& title) {
  ds::report::Chart chart{.title = "While the encoder learns: " + title,
                          .x_label = "training step",
                          .y_label = "linear probe, % of validation pictures"};
  for (Method const& method : methods_with_results(results, data)) {
    if (method.source == Source::denoiser) continue;
    std::map<std::uint64_t, BySeed> points;
    for (auto const& [cell, entries] : results.cells()) {
      if (cell.data != data || cell.method != method.name) continue;
      for (Measured const& entry : entries)
        if (entry.measure == "probe_while_training" && entry.step)
          points[*entry.step].emplace_back(cell.seed, entry.value);
    }
    ds::report::Series series{.name = std::string(method.title)};
    for (auto const& [step, values] : points) {
      series.x.push_back(static_cast<double>(step));
      series.y.push_back(100 * spread_of(values).mean);
    }
    if (!points.empty()) chart.series.push_back(std::move(series));
  }
  if (chart.series.empty()) return std::nullopt;
  return PagePicture{data + "_while_training.svg", svg_file(ds::report::render_chart(chart)),
                     "Accuracy of the linear probe over training steps, " + title};
}

namespace detail {

/// "alone.<subset>.<factor>" in its parts.
[[nodiscard]] inline std::optional<std::pair<std::size_t, std::string>> alone_parts(std::string_view name) {
  constexpr std::string_view prefix = "alone.";
  if (!name.starts_with(prefix)) return std::nullopt;
  name.remove_prefix(prefix.size());
  std::size_t subset = 0;
  auto const [end, error] = std::from_chars(name.data(), name.data() + name.size(), subset);
  auto const digits = static_cast<std::size_t>(end - name.data());
  if (error != std::errc{} || digits >= name.size() || name[digits] != '.') return std::nullopt;
  return std::pair{subset, std::string(name.substr(digits + 1))};
}

}  // namespace detail

/// What each subset alone tells of each factor, of the smallest seed that has it, with marks where the factor
/// is lost and where it is found; nothing where the method has no such measures, or one factor only.
[[nodiscard]] inline std::optional<PagePicture> subset_map(ResultFile const& results, std::string const& data,
                                                           Method const& method) {
  for (auto const& [cell, entries] : results.cells()) {
    if (cell.data != data || cell.method != method.name) continue;
    std::map<std::pair<std::string, std::size_t>, double> alone;
    std::size_t subsets = 0;
    for (Measured const& entry : entries)
      if (auto const parts = detail::alone_parts(entry.measure)) {
        alone[{parts->second, parts->first}] = entry.value;
        subsets = std::max(subsets, parts->first + 1);
      }
    std::vector<std::string> const factors = factors_by_loss(results, data, method.name);
    if (subsets == 0 || factors.size() < 2) continue;

    constexpr double nothing = std::numeric_limits<double>::quiet_NaN();
    auto const count = static_cast<double>(subsets);
    double const steps = 1000 / count;
    ds::report::HeatMap map{
        .title = std::string(method.title) + ": each factor from each subset alone",
        .x_label = "subset of z, for " + ds::io::format_number(steps) + " time-steps each",
        .value_label = "accuracy above chance",
        .marks = {{.name = "lost at", .shape = ds::report::MarkShape::triangle},
                  {.name = "found at", .shape = ds::report::MarkShape::circle}}};
    for (std::size_t i = 0; i < subsets; ++i) map.columns.push_back(std::to_string(i + 1));
    for (std::string const& factor : factors) {
      map.rows.push_back(spoken(factor));
      for (std::size_t i = 0; i < subsets; ++i) {
        auto const found = alone.find({factor, i});
        map.values.push_back(found == alone.end() ? nothing : found->second);
      }
      auto const lost = results.value(cell, "lost_at." + factor),
                 found = results.value(cell, "found_at." + factor);
      map.marks[0].at.push_back(lost.value_or(nothing) / steps);
      map.marks[1].at.push_back(found.value_or(nothing) / steps);
    }
    return PagePicture{data + "_subsets_" + std::string(method.name) + ".svg",
                       svg_file(ds::report::render_heat_map(map)),
                       "What each subset of z tells of each factor, " + std::string(method.title) +
                           ", seed " + std::to_string(cell.seed)};
  }
  return std::nullopt;
}

}  // namespace experiments
