// The results of the table as JSON lines: one measure of one trained method a line. A cell (data, method,
// seed) is written at once when all of it is measured, so an interrupted table goes on where it stopped.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <diffsiam/core/shape.hpp>
#include <diffsiam/io/json.hpp>
#include <diffsiam/io/json_lines.hpp>

namespace experiments {

namespace ds = diffsiam;

/// Which training run.
struct Cell {
  std::string data, method;
  std::uint64_t seed = 0;
  [[nodiscard]] auto operator<=>(Cell const&) const = default;
};

/// One measure; `step` where it was taken on the way.
struct Measured {
  std::string measure;
  double value = 0;
  double seconds = 0;  ///< of the processor that measuring took
  std::optional<std::uint64_t> step{};
};

class ResultFile {
 public:
  /// Reads what is there; a missing file is an empty one. Throws FileError for one that cannot be read,
  /// or whose lines are no results.
  explicit ResultFile(std::filesystem::path path) : path_(std::move(path)) {
    if (!ds::io::file_exists(path_)) return;
    try {
      for (auto const& line : ds::io::read_json_lines(path_)) add(line);
    } catch (nlohmann::json::exception const& error) {
      ds::fail<ds::FileError>("ResultFile", "lines of results in '" + path_.string() + "'",
                              ds::io::detail::shown_text(error.what()));
    }
  }

  [[nodiscard]] bool has(Cell const& cell) const { return cells_.contains(cell); }
  [[nodiscard]] std::map<Cell, std::vector<Measured>> const& cells() const { return cells_; }
  [[nodiscard]] ds::Index dims(Cell const& cell) const { return dims_.at(cell); }

  /// The last value of a measure that was not taken on the way; nothing where there is none.
  [[nodiscard]] std::optional<double> value(Cell const& cell, std::string_view measure) const {
    auto const found = cells_.find(cell);
    if (found == cells_.end()) return std::nullopt;
    std::optional<double> result;
    for (Measured const& entry : found->second)
      if (entry.measure == measure && !entry.step) result = entry.value;
    return result;
  }
  /// The same over all seeds, in their order.
  [[nodiscard]] std::vector<std::pair<std::uint64_t, double>> over_seeds(std::string_view data,
                                                                         std::string_view method,
                                                                         std::string_view measure) const {
    std::vector<std::pair<std::uint64_t, double>> result;
    for (auto const& [cell, entries] : cells_)
      if (cell.data == data && cell.method == method)
        if (auto const found = value(cell, measure)) result.emplace_back(cell.seed, *found);
    return result;
  }

  /// Writes all measures of a cell; FileError when the disk refuses, with nothing half written.
  void append(Cell const& cell, ds::Index dims, std::vector<Measured> entries) {
    std::string text;
    for (Measured const& entry : entries) {
      nlohmann::ordered_json line{{"data", cell.data},
                                  {"method", cell.method},
                                  {"dims", dims},
                                  {"seed", cell.seed},
                                  {"measure", entry.measure},
                                  {"value", rounded(entry.value)},
                                  {"seconds", rounded(entry.seconds)}};
      if (entry.step) line["step"] = *entry.step;
      text += line.dump() + "\n";
    }
    std::string before;
    if (ds::io::file_exists(path_)) {
      auto const bytes = ds::io::read_file(path_);
      before.assign(reinterpret_cast<char const*>(bytes.data()), bytes.size());
    }
    ds::io::write_file(path_, before + text);
    dims_[cell] = dims;
    cells_[cell] = std::move(entries);
  }

 private:
  void add(nlohmann::ordered_json const& line) {
    Cell const cell{line.value("data", ""), line.value("method", ""), line.value("seed", std::uint64_t{0})};
    Measured entry{.measure = line.value("measure", ""),
                   .value = line.at("value").is_number() ? line.at("value").get<double>() : NAN,
                   .seconds = line.value("seconds", 0.0)};
    if (line.contains("step")) entry.step = line.at("step").get<std::uint64_t>();
    dims_[cell] = line.value("dims", ds::Index{0});
    cells_[cell].push_back(std::move(entry));
  }

  /// Six significant digits: what lies behind them is noise, and lines stay readable.
  [[nodiscard]] static double rounded(double value) {
    if (!std::isfinite(value) || value == 0) return value;
    double const scale = std::pow(10.0, 5 - std::floor(std::log10(std::abs(value))));
    return std::round(value * scale) / scale;
  }

  std::filesystem::path path_;
  std::map<Cell, std::vector<Measured>> cells_;
  std::map<Cell, ds::Index> dims_;
};

}  // namespace experiments
