// Which factor each subset tells at the optimum of a loss, for factors that add up (telling_gain.hpp). Subset
// i is revealed in window i of the time-steps and in all later ones, so a factor in subset i earns its gains
// of the windows i, i + 1, ...
//   joint      the assignment that earns most in all: the optimum of the published loss
//   by window  each window takes what earns most in it alone, of what no earlier one has taken: the optimum
//              where the gradient to preceding subsets is stopped. With a price, only what earns more than
//              it.
// If one factor earns more than another in every window, the joint optimum puts it no later (exchange them),
// and so does each window on its own.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include <diffsiam/core/text.hpp>
#include <diffsiam/diffusion/telling_gain.hpp>

namespace diffsiam::diffusion {

/// gain(j, i): what factor j earns in window i, the mean over its time-steps; (factors, windows), row-major.
/// `values` has `factors` times `windows` entries.
struct WindowGains {
  std::size_t factors = 0, windows = 0;
  std::vector<double> values{};

  [[nodiscard]] double operator()(std::size_t factor, std::size_t window) const {
    return values[factor * windows + window];
  }
};

/// The gains of factors of these amplitudes in k windows, t -> floor(t k/T) as in a partition. Throws
/// ConfigError for k outside [1, T], and as telling_gain.
template <Weighting W = SnrPower>
[[nodiscard]] WindowGains window_gains(NoiseSchedule const& schedule, FactorKind kind, ErrorMetric metric,
                                       std::span<double const> amplitudes, int windows,
                                       W const& weighting = {}) {
  int const timesteps = schedule.timesteps();
  if (windows < 1 || windows > timesteps)
    fail<ConfigError>("window_gains", {"from 1 to ", timesteps, " windows"}, windows);
  auto const k = static_cast<std::size_t>(windows);
  WindowGains gains{amplitudes.size(), k, std::vector<double>(amplitudes.size() * k)};
  std::vector<double> counts(k);
  for (int t = 0; t < timesteps; ++t) {
    auto const window = static_cast<std::size_t>(static_cast<long long>(t) * windows / timesteps);
    counts[window] += 1;
    for (std::size_t j = 0; j < amplitudes.size(); ++j)
      gains.values[j * k + window] += telling_gain(schedule, kind, metric, amplitudes[j], t, weighting);
  }
  for (std::size_t j = 0; j < amplitudes.size(); ++j)
    for (std::size_t i = 0; i < k; ++i) gains.values[j * k + i] /= counts[i];
  return gains;
}

/// The subset of each factor; none where it is not told.
using FactorSubsets = std::vector<std::optional<std::size_t>>;

namespace detail {

inline void require_assignment(std::string_view operation, WindowGains const& gains,
                               std::span<int const> widths) {
  if (gains.factors < 1 || gains.windows < 1 || gains.values.size() != gains.factors * gains.windows)
    fail<ShapeError>(operation, "gains of at least one factor in at least one window",
                     {gains.values.size(), " gains for (", gains.factors, ", ", gains.windows, ")"});
  if (widths.size() != gains.windows)
    fail<ShapeError>(operation, {"a width for each of ", gains.windows, " windows"}, widths.size());
  for (int const width : widths)
    if (width < 0) fail<RangeError>(operation, "widths of at least 0", width);
  for (double const gain : gains.values)
    if (!(gain >= 0 && std::isfinite(gain))) fail<RangeError>(operation, "finite gains >= 0", gain);
}

/// For each row of costs (rows, columns), rows <= columns, the column of the cheapest assignment: the
/// Hungarian algorithm with potentials, in rows^2 columns steps.
[[nodiscard]] inline std::vector<std::size_t> cheapest_columns(std::vector<double> const& costs,
                                                               std::size_t rows, std::size_t columns) {
  constexpr double infinite = std::numeric_limits<double>::infinity();
  std::vector<double> row_potential(rows + 1), column_potential(columns + 1);
  std::vector<std::size_t> row_of(columns + 1), before(columns + 1);  // row 0 and column 0 are no one's
  for (std::size_t row = 1; row <= rows; ++row) {
    std::vector<double> least(columns + 1, infinite);
    std::vector<bool> seen(columns + 1);
    std::size_t column = 0;
    row_of[0] = row;
    do {
      seen[column] = true;
      std::size_t const from = row_of[column];
      std::size_t next = 0;
      double step = infinite;
      for (std::size_t c = 1; c <= columns; ++c) {
        if (seen[c]) continue;
        double const slack = costs[(from - 1) * columns + c - 1] - row_potential[from] - column_potential[c];
        if (slack < least[c]) least[c] = slack, before[c] = column;
        if (least[c] < step) step = least[c], next = c;
      }
      for (std::size_t c = 0; c <= columns; ++c) {
        if (seen[c])
          row_potential[row_of[c]] += step, column_potential[c] -= step;
        else
          least[c] -= step;
      }
      column = next;
    } while (row_of[column] != 0);
    for (; column != 0; column = before[column]) row_of[column] = row_of[before[column]];
  }
  std::vector<std::size_t> result(rows);
  for (std::size_t c = 1; c <= columns; ++c)
    if (row_of[c] != 0) result[row_of[c] - 1] = c - 1;
  return result;
}

}  // namespace detail

/// The assignment whose gains of all windows sum to most; subset i holds at most widths[i] factors. Throws
/// ShapeError for widths that do not fit, RangeError for gains that are negative or not finite.
[[nodiscard]] inline FactorSubsets assign_jointly(WindowGains const& gains, std::span<int const> widths) {
  detail::require_assignment("assign_jointly", gains, widths);
  // A column for each place in a subset, and one for each factor that stays untold.
  std::vector<std::optional<std::size_t>> places;
  for (std::size_t i = 0; i < widths.size(); ++i)
    for (int place = 0; place < std::min(widths[i], static_cast<int>(gains.factors)); ++place)
      places.emplace_back(i);
  places.resize(places.size() + gains.factors);
  std::vector<double> costs;
  for (std::size_t j = 0; j < gains.factors; ++j)
    for (auto const& place : places) {
      double earned = 0;
      for (std::size_t i = place.value_or(gains.windows); i < gains.windows; ++i) earned += gains(j, i);
      costs.push_back(-earned);
    }
  FactorSubsets result;
  for (std::size_t const column : detail::cheapest_columns(costs, gains.factors, places.size()))
    result.push_back(places[column]);
  return result;
}

/// Window by window: of the factors that are left, those that earn more than `price` in this window, the
/// greatest gains first, up to the width of the subset. Throws as assign_jointly, and RangeError for a
/// negative price.
[[nodiscard]] inline FactorSubsets assign_by_window(WindowGains const& gains, std::span<int const> widths,
                                                    double price = 0) {
  detail::require_assignment("assign_by_window", gains, widths);
  if (!(price >= 0)) fail<RangeError>("assign_by_window", "a price >= 0", price);
  FactorSubsets result(gains.factors);
  for (std::size_t i = 0; i < gains.windows; ++i)
    for (int place = 0; place < widths[i]; ++place) {
      std::optional<std::size_t> best;
      for (std::size_t j = 0; j < gains.factors; ++j)
        if (!result[j] && gains(j, i) > price && (!best || gains(j, i) > gains(*best, i))) best = j;
      if (!best) break;
      result[*best] = i;
    }
  return result;
}

}  // namespace diffsiam::diffusion
