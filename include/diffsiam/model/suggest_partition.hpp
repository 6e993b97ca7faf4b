// A partition suggested by a pilot run: most dims where z gains most. From gains g(t_j) (weighted_gains) the
// rule makes stages as follows.
//   1. Between the given time-steps g is linear, beyond them constant; negative gains count as 0.
//   2. Subset i, steps ceil(i T/k) .. ceil((i+1) T/k) - 1, has the mass m_i = sum of g(t) over its steps.
//   3. The subsets are divided into S stages of nearly equal mass. Cut s is where the running sum of masses
//      is nearest to s/S of the total (if two are equally near, the first), but each stage has a subset.
//   4. A stage of n subsets gets dims in proportion to its mass, but at least n: shares below n are raised
//      to n, and the others divide the rest in proportion. Fractions go to the greatest remainders.
// Within a stage all subsets have the same width (TimestepPartition::staged). A flat g gives nearly uniform
// widths.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numeric>
#include <span>
#include <string_view>
#include <vector>

#include <diffsiam/core/text.hpp>
#include <diffsiam/encoder/timestep_partition.hpp>

namespace diffsiam::model {

namespace detail {

/// Throws unless there is a finite gain for each time-step, the time-steps ascend, and one gain is above 0.
inline void require_gains(std::string_view operation, int timesteps, std::span<int const> steps,
                          std::span<double const> gains) {
  if (steps.empty() || steps.size() != gains.size())
    fail<ShapeError>(operation, "a gain for each of the time-steps, one at least",
                     {gains.size(), " gains for ", steps.size(), " time-steps"});
  bool any = false;
  for (std::size_t j = 0; j < steps.size(); ++j) {
    if (steps[j] < 0 || steps[j] >= timesteps)
      fail<RangeError>(operation, {"time-steps in [0, ", timesteps, ")"}, steps[j]);
    if (j > 0 && steps[j] <= steps[j - 1])
      fail<RangeError>(operation, "ascending time-steps", {steps[j], " after ", steps[j - 1]});
    if (!std::isfinite(gains[j]))
      fail<NumericError>(operation, "finite gains", {gains[j], " at t = ", steps[j]});
    any = any || gains[j] > 0;
  }
  if (!any)
    fail<RangeError>(operation, "a gain above 0 somewhere", "none",
                     "z gives nothing back: a longer pilot, or TimestepPartition::uniform");
}

/// The mass of each subset: rules 1 and 2. Gains are divided by the greatest one, so that no sum overflows.
[[nodiscard]] inline std::vector<double> subset_masses(encoder::TimestepPartition const& subsets,
                                                       std::span<int const> steps,
                                                       std::span<double const> gains) {
  double const greatest = *std::max_element(gains.begin(), gains.end());
  auto const height = [&](std::size_t j) { return std::max(gains[j], 0.0) / greatest; };
  std::vector<double> masses(static_cast<std::size_t>(subsets.subsets()));
  std::size_t next = 0;  // the first given step at or after t
  for (int t = 0; t < subsets.timesteps(); ++t) {
    while (next < steps.size() && steps[next] < t) ++next;
    double g = 0;
    if (next == steps.size()) {
      g = height(next - 1);
    } else if (next == 0 || steps[next] == t) {
      g = height(next);
    } else {
      double const along =
          static_cast<double>(t - steps[next - 1]) / static_cast<double>(steps[next] - steps[next - 1]);
      g = (1 - along) * height(next - 1) + along * height(next);
    }
    masses[static_cast<std::size_t>(subsets.subset_of(t))] += g;
  }
  return masses;
}

/// The first subset of each stage, and the number of subsets: rule 3.
[[nodiscard]] inline std::vector<int> cut_in_equal_masses(std::span<double const> masses, int stages) {
  auto const subsets = static_cast<int>(masses.size());
  std::vector<double> sums(masses.size() + 1);
  std::partial_sum(masses.begin(), masses.end(), sums.begin() + 1);
  std::vector<int> cuts{0};
  for (int s = 1; s < stages; ++s) {
    double const target = sums.back() * s / stages;
    // The running sum passes the target between two boundaries.
    auto const above = std::lower_bound(sums.begin() + 1, sums.end(), target);
    bool const before = target - *(above - 1) <= *above - target;
    int const nearest = static_cast<int>(above - sums.begin()) - (before ? 1 : 0);
    cuts.push_back(std::clamp(nearest, cuts.back() + 1, subsets - (stages - s)));
  }
  cuts.push_back(subsets);
  return cuts;
}

/// Integer shares of `dims` in proportion to `masses`, but at least `least` each: rule 4. Needs dims >= the
/// sum of least.
[[nodiscard]] inline std::vector<int> share_dims(std::span<double const> masses, std::span<int const> least,
                                                 int dims) {
  std::vector<int> shares(least.begin(), least.end());
  std::vector<bool> raised(masses.size());
  double mass = 0;
  int left = 0;
  for (bool settled = false; !settled;) {
    settled = true;
    mass = 0;
    left = dims;
    for (std::size_t s = 0; s < masses.size(); ++s) {
      if (raised[s])
        left -= least[s];
      else
        mass += masses[s];
    }
    for (std::size_t s = 0; s < masses.size(); ++s) {
      if (raised[s] || masses[s] * left >= least[s] * mass) continue;
      raised[s] = true;
      settled = false;
    }
  }
  std::vector<std::size_t> order;
  std::vector<double> rest(masses.size());
  for (std::size_t s = 0; s < masses.size(); ++s) {
    if (raised[s]) continue;
    double const share = masses[s] * left / mass;
    shares[s] = std::max(static_cast<int>(share), least[s]);
    rest[s] = share - shares[s];
    order.push_back(s);
  }
  std::sort(order.begin(), order.end(),
            [&](std::size_t a, std::size_t b) { return rest[a] != rest[b] ? rest[a] > rest[b] : a < b; });
  int const spare = dims - std::accumulate(shares.begin(), shares.end(), 0);
  for (int i = 0; i < spare; ++i) ++shares[order[static_cast<std::size_t>(i) % order.size()]];
  return shares;
}

}  // namespace detail

/// The stages of `config`'s subsets that the rule gives for `gains` at ascending `steps`. There are `stages`
/// stages, or one per subset if there are fewer subsets. Throws ShapeError for unequal counts or none,
/// RangeError for steps out of range or order and for gains of which none is above 0, NumericError for a gain
/// that is not finite, ConfigError for no stage or a config that no partition can have.
[[nodiscard]] inline std::vector<encoder::PartitionStage> suggest_stages(
    encoder::TimestepPartition::Config const& config, std::span<int const> steps,
    std::span<double const> gains, int stages = 5) {
  if (stages < 1) fail<ConfigError>("suggest_partition", "at least one stage", stages);
  auto const subsets = encoder::TimestepPartition::uniform(config);  // for its checks and its steps
  detail::require_gains("suggest_partition", config.timesteps, steps, gains);
  std::vector<double> const masses = detail::subset_masses(subsets, steps, gains);
  std::vector<int> const cuts = detail::cut_in_equal_masses(masses, std::min(stages, config.subsets));

  std::vector<double> stage_masses;
  std::vector<int> counts;
  std::vector<encoder::PartitionStage> result;
  for (std::size_t s = 0; s + 1 < cuts.size(); ++s) {
    stage_masses.push_back(std::accumulate(masses.begin() + cuts[s], masses.begin() + cuts[s + 1], 0.0));
    counts.push_back(cuts[s + 1] - cuts[s]);
    bool const last = cuts[s + 1] == config.subsets;
    result.push_back({.end_step = last ? config.timesteps : subsets.first_step(cuts[s + 1])});
  }
  std::vector<int> const dims = detail::share_dims(stage_masses, counts, config.dims);
  for (std::size_t s = 0; s < result.size(); ++s) result[s].dims = dims[s];
  return result;
}

/// The partition with these stages. Throws as suggest_stages.
[[nodiscard]] inline encoder::TimestepPartition suggest_partition(
    encoder::TimestepPartition::Config const& config, std::span<int const> steps,
    std::span<double const> gains, int stages = 5) {
  return encoder::TimestepPartition::staged(config, suggest_stages(config, steps, gains, stages));
}

}  // namespace diffsiam::model
