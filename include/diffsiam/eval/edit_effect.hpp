// edit_effect: how well an edit changes one factor of pictures and leaves the others unchanged. A judge, such
// as a classifier of each factor, looks at the pictures before and after. The change of a factor is
//   the share of pictures whose level changed, if the judge returns levels;
//   the mean of the total variation sum_l |p'_l - p_l| / 2, if it returns probabilities. If they are 0 or 1,
//   this is the same number.
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <span>
#include <string_view>
#include <vector>

#include <diffsiam/core/error.hpp>
#include <diffsiam/core/shape.hpp>

namespace diffsiam::eval {

/// Levels from a judge. `before[i * factors + f]` is the level of factor f in picture i, from 0 on, and
/// `after` is the same after the edit; both tables are (count, factors), for `count` pictures and `factors`
/// factors.
struct JudgedLevels {
  std::span<int const> before, after;
  Index count = 0;
  Index factors = 0;
};

/// Probabilities of all levels from a judge. A row has the levels of factor 0, then those of factor 1, ...;
/// both tables are (count, sum of levels).
struct JudgedProbabilities {
  std::span<float const> before, after;  ///< in [0, 1]
  Index count = 0;                       ///< pictures
  std::span<int const> levels;           ///< number of levels of each factor
};

/// The result of edit_effect().
struct EditEffect {
  std::vector<double> changed{};  ///< of each factor, in [0, 1]
  double target = 0;              ///< change of the factor that the edit is meant to change
  double others = 0;              ///< sum of the changes of the other factors
  /// target / others: infinite if only the target changed, 0 if nothing did.
  double ratio = 0;
  /// target / (target + others), in [0, 1]; 0 if nothing changed. Unlike the ratio it can be averaged. With
  /// probabilities, a change of up to 1e-6 counts as none, because they are floats.
  double share = 0;
  /// The share of pictures that reached the wanted level of the target, or the mean probability of that
  /// level. NaN if no levels are wanted.
  double reached = std::numeric_limits<double>::quiet_NaN();
};

namespace detail {

inline void require_judged(std::string_view operation, Index count, Index factors, Index width,
                           std::size_t before, std::size_t after) {
  if (count < 1 || factors < 1)
    fail<ShapeError>(operation, "at least one picture and one factor", {count, " and ", factors});
  auto const size = static_cast<std::size_t>(count * width);
  if (before != size || after != size)
    fail<ShapeError>(operation, {size, " values before and after"}, {before, " and ", after});
}

inline void require_target(std::string_view operation, Index target, Index factors,
                           std::span<int const> wanted, Index count) {
  if (target < 0 || target >= factors)
    fail<RangeError>(operation, {"a target among ", factors, " factors"}, target);
  if (!wanted.empty() && static_cast<Index>(wanted.size()) != count)
    fail<ShapeError>(operation, {"a wanted level for each of ", count, " pictures, or none"}, wanted.size());
}

/// Throws RangeError unless each row has probabilities for each factor; their sums may differ from 1 by .001.
inline void require_probabilities(std::string_view operation, std::span<float const> rows,
                                  std::span<int const> levels) {
  for (std::size_t at = 0, part = 0; at < rows.size(); ++part) {
    std::size_t const f = part % levels.size();
    double sum = 0, least = 0;
    for (int l = 0; l < levels[f]; ++l, ++at) {
      sum += static_cast<double>(rows[at]);
      least = std::min(least, static_cast<double>(rows[at]));
    }
    if (least < 0 || !(std::abs(sum - 1) < 1e-3))
      fail<RangeError>(
          operation, "probabilities of at least 0 that sum to 1",
          {"the least ", least, ", the sum ", sum, " for factor ", f, " of picture ", part / levels.size()});
  }
}

/// Fills in the rest of an effect from its changes. A target that changed by at most `rounding` counts as
/// unchanged.
inline void complete(EditEffect& effect, Index target, double rounding) {
  effect.target = effect.changed[static_cast<std::size_t>(target)];
  for (std::size_t f = 0; f < effect.changed.size(); ++f)
    if (f != static_cast<std::size_t>(target)) effect.others += effect.changed[f];
  if (effect.target > rounding) {
    effect.ratio =
        effect.others > 0 ? effect.target / effect.others : std::numeric_limits<double>::infinity();
    effect.share = effect.target / (effect.target + effect.others);
  }
}

}  // namespace detail

/// The effect of an edit of factor `target`. `wanted` has a level for each picture, or is empty. Throws
/// ShapeError for counts that do not fit, RangeError for a target that is not a factor and for negative
/// levels.
[[nodiscard]] inline EditEffect edit_effect(JudgedLevels const& judged, Index target,
                                            std::span<int const> wanted = {}) {
  constexpr std::string_view name = "edit_effect";
  detail::require_judged(name, judged.count, judged.factors, judged.factors, judged.before.size(),
                         judged.after.size());
  detail::require_target(name, target, judged.factors, wanted, judged.count);
  auto const factors = static_cast<std::size_t>(judged.factors),
             count = static_cast<std::size_t>(judged.count);
  auto const n = static_cast<double>(count);
  for (auto const& levels : {judged.before, judged.after, wanted})
    for (int const level : levels)
      if (level < 0) fail<RangeError>(name, "levels of at least 0", level);

  EditEffect effect{.changed = std::vector<double>(factors)};
  for (std::size_t i = 0; i < judged.before.size(); ++i)
    effect.changed[i % factors] += judged.before[i] != judged.after[i] ? 1 : 0;
  for (double& change : effect.changed) change /= n;
  detail::complete(effect, target, 0);
  if (wanted.empty()) return effect;
  double reached = 0;
  for (std::size_t i = 0; i < count; ++i)
    reached += judged.after[i * factors + static_cast<std::size_t>(target)] == wanted[i] ? 1 : 0;
  effect.reached = reached / n;
  return effect;
}

/// The same for probabilities. Also throws RangeError for a factor without levels, a wanted level that does
/// not exist, and rows that are not probabilities.
[[nodiscard]] inline EditEffect edit_effect(JudgedProbabilities const& judged, Index target,
                                            std::span<int const> wanted = {}) {
  constexpr std::string_view name = "edit_effect";
  for (int const levels : judged.levels)
    if (levels < 1) fail<RangeError>(name, "at least one level a factor", levels);
  auto const factors = judged.levels.size(), count = static_cast<std::size_t>(judged.count);
  auto const width =
      std::accumulate(judged.levels.begin(), judged.levels.end(), std::size_t{0},
                      [](std::size_t sum, int levels) { return sum + static_cast<std::size_t>(levels); });
  detail::require_judged(name, judged.count, static_cast<Index>(factors), static_cast<Index>(width),
                         judged.before.size(), judged.after.size());
  detail::require_target(name, target, static_cast<Index>(factors), wanted, judged.count);
  detail::require_probabilities(name, judged.before, judged.levels);
  detail::require_probabilities(name, judged.after, judged.levels);
  auto const n = static_cast<double>(count);

  EditEffect effect{.changed = std::vector<double>(factors)};
  double reached = 0;
  std::size_t at = 0;
  for (std::size_t i = 0; i < count; ++i) {
    for (std::size_t f = 0; f < factors; ++f) {
      if (!wanted.empty() && f == static_cast<std::size_t>(target)) {
        if (wanted[i] < 0 || wanted[i] >= judged.levels[f])
          fail<RangeError>(name, {"wanted levels in [0, ", judged.levels[f], ")"},
                           {wanted[i], " for picture ", i});
        reached += static_cast<double>(judged.after[at + static_cast<std::size_t>(wanted[i])]);
      }
      for (int l = 0; l < judged.levels[f]; ++l, ++at)
        effect.changed[f] +=
            std::abs(static_cast<double>(judged.after[at]) - static_cast<double>(judged.before[at])) /
            (2 * n);
    }
  }
  detail::complete(effect, target, 1e-6);
  if (!wanted.empty()) effect.reached = reached / n;
  return effect;
}

}  // namespace diffsiam::eval
