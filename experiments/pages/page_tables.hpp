// The tables of the page of results: methods by measures, differences from DiffSiam, and factors.
#pragma once

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include <experiments/methods.hpp>
#include <experiments/pages/page.hpp>
#include <experiments/results.hpp>

namespace experiments {

/// Those that have results of a data set. One that the table of methods does not know stands before the
/// ceiling, under its own name; `results` must live as long.
[[nodiscard]] inline std::vector<Method> methods_with_results(ResultFile const& results,
                                                              std::string_view data) {
  std::set<std::string_view> present;
  for (auto const& [cell, entries] : results.cells())
    if (cell.data == data) present.insert(cell.method);
  std::vector<Method> found;
  for (Method const& method : methods)
    if (present.erase(method.name) > 0) found.push_back(method);
  auto const ceiling = std::find_if(found.begin(), found.end(), [](Method const& m) { return m.ceiling(); });
  std::vector<Method> unknown;
  for (std::string_view const name : present) unknown.push_back({name, name});
  found.insert(ceiling, unknown.begin(), unknown.end());
  return found;
}

struct Column {
  std::string title, measure;
  NumberStyle style{};
  bool score = true;  ///< greater is better: the best is bold, and the deviation is written; else a cost
};

/// What stands between the name of a method and its measures.
enum class Lead { none, dims_and_seeds };

namespace detail {

/// "64", or what the seeds have, where they differ.
[[nodiscard]] inline std::string dims_of(ResultFile const& results, std::string_view data,
                                         std::string_view method) {
  std::set<ds::Index> dims;
  for (auto const& [cell, entries] : results.cells())
    if (cell.data == data && cell.method == method) dims.insert(results.dims(cell));
  std::string text;
  for (ds::Index const d : dims) text += (text.empty() ? "" : ", ") + std::to_string(d);
  return text;
}

[[nodiscard]] inline std::size_t seeds_of(ResultFile const& results, std::string_view data,
                                          std::string_view method) {
  auto const& cells = results.cells();
  return static_cast<std::size_t>(std::count_if(cells.begin(), cells.end(), [&](auto const& entry) {
    return entry.first.data == data && entry.first.method == method;
  }));
}

/// "1 seed." "3 seeds a method." "1 to 3 seeds a method."
[[nodiscard]] inline std::string seeds_note(std::vector<std::size_t> const& counts) {
  if (counts.empty()) return "";
  auto const [least, most] = std::minmax_element(counts.begin(), counts.end());
  std::string const range = *least == *most ? "" : std::to_string(*least) + " to ";
  return range + std::to_string(*most) + (*most == 1 ? " seed" : " seeds") + " a method";
}

[[nodiscard]] inline std::string bold(std::string const& text) {
  return "**" + text + "**";
}

}  // namespace detail

/// A row for each method that has one of the measures. Of the unsupervised, the best mean as written is bold;
/// where several are written alike, all of them.
[[nodiscard]] inline MarkdownTable score_table(ResultFile const& results, std::string_view data,
                                               std::vector<Column> const& columns, Lead lead,
                                               std::string const& what) {
  MarkdownTable table{.header = {"method"}};
  if (lead == Lead::dims_and_seeds) table.header.insert(table.header.end(), {"dims", "seeds"});
  for (Column const& column : columns) table.header.push_back(column.title);

  std::vector<Method> shown;
  std::vector<std::vector<Spread>> spreads;
  std::vector<std::optional<double>> best(columns.size());
  std::vector<std::size_t> seeds;
  for (Method const& method : methods_with_results(results, data)) {
    std::vector<Spread> row;
    for (Column const& column : columns)
      row.push_back(spread_of(results.over_seeds(data, method.name, column.measure)));
    if (std::none_of(row.begin(), row.end(), [](Spread const& s) { return s.count > 0; })) continue;
    for (std::size_t i = 0; i < row.size(); ++i)
      if (row[i].count > 0 && !method.ceiling() && columns[i].score)
        best[i] = std::max(best[i].value_or(row[i].mean), row[i].mean);
    shown.push_back(method);
    spreads.push_back(std::move(row));
    seeds.push_back(detail::seeds_of(results, data, method.name));
  }

  for (std::size_t r = 0; r < shown.size(); ++r) {
    std::vector<std::string> cells{std::string(shown[r].title)};
    if (lead == Lead::dims_and_seeds) {
      cells.push_back(detail::dims_of(results, data, shown[r].name));
      cells.push_back(std::to_string(seeds[r]));
    }
    for (std::size_t i = 0; i < columns.size(); ++i) {
      Column const& column = columns[i];
      Spread spread = spreads[r][i];
      if (!column.score) spread.deviation.reset();
      bool const wins = best[i] && spread.count > 0 && !shown[r].ceiling() &&
                        written(spread.mean, column.style) == written(*best[i], column.style);
      std::string const text = written(spread, column.style);
      cells.push_back(wins ? detail::bold(text) : text);
    }
    table.rows.push_back(std::move(cells));
  }
  table.note = detail::seeds_note(seeds) + ". " + what;
  return table;
}

/// One method minus each other of as many dims and minus raw pixels, over the seeds that both have. Empty
/// without it or the others.
[[nodiscard]] inline MarkdownTable difference_table(ResultFile const& results, std::string_view data,
                                                    Method const& minuend) {
  constexpr NumberStyle style{.scale = 100, .decimals = 2, .sign = true};
  std::array<std::string, 2> const measures{"linear_probe", "knn_20"};
  MarkdownTable table{
      .header = {std::string(minuend.title) + " minus", "linear probe", "k-NN, k = 20", "pairs"}};
  std::string const dims = detail::dims_of(results, data, minuend.name);
  std::vector<std::size_t> pairs;
  for (Method const& method : methods_with_results(results, data)) {
    if (method.name == minuend.name) continue;
    if (method.source != Source::pixels && detail::dims_of(results, data, method.name) != dims) continue;
    std::vector<std::string> cells{std::string(method.title)};
    std::array<std::size_t, 2> counts{};
    for (std::size_t i = 0; i < measures.size(); ++i) {
      Spread const spread = spread_of(paired_difference(results.over_seeds(data, minuend.name, measures[i]),
                                                        results.over_seeds(data, method.name, measures[i])));
      counts[i] = spread.count;
      cells.push_back(written(spread, style));
    }
    if (counts[0] + counts[1] == 0) continue;
    cells.push_back(std::to_string(counts[0]) +
                    (counts[0] == counts[1] ? "" : ", " + std::to_string(counts[1])));
    table.rows.push_back(std::move(cells));
    pairs.push_back(std::max(counts[0], counts[1]));
  }
  table.note =
      detail::seeds_note(pairs) +
      " in common. Percentage points of accuracy on test pictures, mean and standard deviation of the "
      "differences between runs of the same seed. Other widths are left out.";
  return table;
}

/// The factors of a data set, in the order in which they were written.
[[nodiscard]] inline std::vector<std::string> factors_of(ResultFile const& results, std::string_view data) {
  constexpr std::string_view prefix = "linear_probe.";
  std::vector<std::string> factors;
  for (auto const& [cell, entries] : results.cells()) {
    if (cell.data != data) continue;
    for (Measured const& entry : entries) {
      if (!entry.measure.starts_with(prefix)) continue;
      std::string const factor = entry.measure.substr(prefix.size());
      if (std::find(factors.begin(), factors.end(), factor) == factors.end()) factors.push_back(factor);
    }
  }
  return factors;
}

/// The same, those that are lost at the smallest time-steps first; those of which that is not known last.
[[nodiscard]] inline std::vector<std::string> factors_by_loss(ResultFile const& results,
                                                              std::string_view data,
                                                              std::string_view method) {
  std::vector<std::tuple<bool, double, std::size_t>> order;  // equal ones stay as they are
  std::vector<std::string> const factors = factors_of(results, data);
  for (std::string const& factor : factors) {
    Spread const lost = spread_of(results.over_seeds(data, method, "lost_at." + factor));
    order.emplace_back(lost.count == 0, lost.mean, order.size());
  }
  std::sort(order.begin(), order.end());
  std::vector<std::string> sorted;
  for (auto const& [unknown, lost, index] : order) sorted.push_back(factors[index]);
  return sorted;
}

/// Whether theory says where noise takes the factors of this data set.
[[nodiscard]] inline bool knows_lost_steps(ResultFile const& results, std::string_view data) {
  std::vector<std::string> const factors = factors_of(results, data);
  return std::any_of(factors.begin(), factors.end(), [&](std::string const& factor) {
    return !results.over_seeds(data, "diffsiam", "lost_at." + factor).empty();
  });
}

/// "stripe_phase" as "stripe phase".
[[nodiscard]] inline std::string spoken(std::string name) {
  std::replace(name.begin(), name.end(), '_', ' ');
  return name;
}

/// How well each method's features tell each factor.
[[nodiscard]] inline MarkdownTable factor_table(ResultFile const& results, std::string_view data) {
  std::vector<Column> columns;
  for (std::string const& factor : factors_by_loss(results, data, "diffsiam"))
    columns.push_back({spoken(factor), "linear_probe." + factor, percent_style});
  return score_table(results, data, columns, Lead::none,
                     std::string("Accuracy of the linear probe for each factor on test pictures, %") +
                         (knows_lost_steps(results, data)
                              ? "; the factor that is lost at the smallest time-step stands first."
                              : "."));
}

/// What few labels are enough for, and how well all binary attributes are told.
[[nodiscard]] inline MarkdownTable label_table(ResultFile const& results, std::string_view data) {
  return score_table(
      results, data,
      {{"10 % of the labels", "linear_probe_10_percent", percent_style},
       {"1 % of the labels", "linear_probe_1_percent", percent_style},
       {"mAP, %", "mean_average_precision", percent_style}},
      Lead::none,
      "Accuracy of the linear probe on test pictures, mean over factors, where it is fitted and chosen "
      "with a share of the labels of each level, mean over five draws. mAP: average precision of a "
      "linear probe, mean over all binary attributes, with all labels. Bold: the best without labels.");
}

/// Where the noise takes each factor, by theory and as the trained denoiser has it, and where DiffSiam has
/// it: in which subsets of z, beside those of the untrained encoder, and from which step on the decoder
/// relies on it. What is known of no factor is left out.
[[nodiscard]] inline MarkdownTable order_table(ResultFile const& results, std::string_view data) {
  struct Steps {
    std::string title, method, measure, note;
  };
  std::array<Steps, 5> const columns{
      {{"lost at t", "diffsiam", "lost_at.",
        " Lost: the first time-step at which the ideal denoiser mistakes a quarter of the pairs that differ "
        "in this factor alone."},
       {"lost by the denoiser", "denoiser_features", "lost_at_measured.",
        " By the denoiser: the same, counted with the trained one."},
       {"relied on from", "diffsiam", "used_at.",
        " Relied on: where the weighted loss has risen by half of what the z of a picture that differs in "
        "this factor alone costs at the most."},
       {"found at t", "diffsiam", "found_at.",
        " Found: the mean time-step of the subsets by which a probe of the first subsets gains on it."},
       {"found, untrained", "random_encoder", "found_at.", ""}}};
  std::vector<std::string> const factors = factors_by_loss(results, data, "diffsiam");
  auto const known_of = [&](Steps const& column, std::string const& factor) {
    return results.over_seeds(data, column.method, column.measure + factor);
  };
  MarkdownTable table{.header = {"factor"}};
  for (std::string const& factor : factors) table.rows.push_back({spoken(factor)});
  std::size_t const seeds = detail::seeds_of(results, data, "diffsiam");
  table.note = std::to_string(seeds) + (seeds == 1 ? " seed" : " seeds") + " of DiffSiam.";
  for (Steps const& column : columns) {
    auto const known = [&](std::string const& factor) { return !known_of(column, factor).empty(); };
    if (std::none_of(factors.begin(), factors.end(), known)) continue;
    table.header.push_back(column.title);
    table.note += column.note;
    for (std::size_t f = 0; f < factors.size(); ++f) {
      Spread spread = spread_of(known_of(column, factors[f]));
      if (column.measure == "lost_at.") spread.deviation.reset();  // theory knows of no seeds
      table.rows[f].push_back(written(spread, {.scale = 1, .decimals = 0}));
    }
  }
  if (table.header.size() == 1) table.rows.clear();
  return table;
}

}  // namespace experiments
