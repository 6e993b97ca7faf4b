// The map of subsets by factors: how well a linear probe predicts each factor from each subset of z alone,
// and from all subsets up to it. If a subset holds what is lost around its time-steps, each factor is found
// where theory says that it is lost; found_step says where that is, and spearman_r whether the order agrees.
// The probes are linear discriminants on standardised codes: hundreds of them from one pass over the data.
#pragma once

#include <algorithm>
#include <cmath>
#include <optional>
#include <span>
#include <vector>

#include <diffsiam/core/error.hpp>
#include <diffsiam/encoder/timestep_partition.hpp>
#include <diffsiam/eval/dim_groups.hpp>
#include <diffsiam/eval/factors.hpp>
#include <diffsiam/eval/features.hpp>
#include <diffsiam/eval/linear_discriminant.hpp>
#include <diffsiam/eval/metrics.hpp>
#include <diffsiam/eval/standardise.hpp>

namespace diffsiam::eval {

/// Scores are (accuracy - chance)/(1 - chance) on test data: 0 for always predicting the most frequent
/// training value, 1 for no error; they may be negative. Both tables are (factors, subsets), row-major.
/// `factors` and `subsets` are the extents of the tables.
struct SubsetFactorMap {
  Index factors = 0;
  Index subsets = 0;
  std::vector<double> alone{};   ///< from subset i only
  std::vector<double> prefix{};  ///< from subsets 0 .. i
  std::vector<double> chance{};  ///< for each factor the share of its most frequent training value

  /// One score for each subset.
  [[nodiscard]] std::span<double const> alone_of(Index factor) const& { return row(alone, factor); }
  void alone_of(Index factor) const&& = delete;
  /// One score for each subset.
  [[nodiscard]] std::span<double const> prefix_of(Index factor) const& { return row(prefix, factor); }
  void prefix_of(Index factor) const&& = delete;

 private:
  [[nodiscard]] std::span<double const> row(std::vector<double> const& table, Index factor) const {
    if (factor < 0 || factor >= factors)
      fail<RangeError>("SubsetFactorMap", {"a factor in [0, ", factors, ")"}, factor);
    return std::span{table}.subspan(static_cast<std::size_t>(factor * subsets),
                                    static_cast<std::size_t>(subsets));
  }
};

/// The subsets of z as groups of dims.
[[nodiscard]] inline DimGroups subset_groups(encoder::TimestepPartition const& partition) {
  DimGroups groups;
  for (int i = 0; i < partition.subsets(); ++i) groups.ends.push_back(partition.end(i));
  return groups;
}
/// The mean time-step of each subset, for found_step.
[[nodiscard]] inline std::vector<double> subset_centres(encoder::TimestepPartition const& partition) {
  std::vector<double> centres;
  for (int i = 0; i < partition.subsets(); ++i) {
    int const next = i + 1 < partition.subsets() ? partition.first_step(i + 1) : partition.timesteps();
    centres.push_back((partition.first_step(i) + next - 1) / 2.0);
  }
  return centres;
}

/// `groups` are the subsets of z, in order. Throws as require_factored, ShapeError unless there are more
/// training samples than dims, ConfigError for groups that do not fit. `pool` may be null.
[[nodiscard]] inline SubsetFactorMap subset_factor_map(Factored const& train, Factored const& test,
                                                       DimGroups const& groups, ThreadPool* pool = nullptr) {
  require_factored("subset_factor_map", train, test);
  Index const dims = train.features.dims;
  require_groups("subset_factor_map", groups, dims);
  if (train.features.count <= dims)
    fail<ShapeError>("subset_factor_map", {"more training samples than the ", dims, " dims"},
                     train.features.count);

  Standardiser const standardiser = Standardiser::fit(train.features);
  std::vector<float> const train_codes = standardiser(train.features);
  std::vector<float> const test_codes = standardiser(test.features);
  Features const unseen{test_codes, test.features.count, dims};
  LevelMoments const moments =
      LevelMoments::of({{train_codes, train.features.count, dims}, train.factors}, pool);

  Index const factors = train.factors.factors, subsets = groups.count();
  auto const size = static_cast<std::size_t>(factors * subsets);
  SubsetFactorMap map{.factors = factors,
                      .subsets = subsets,
                      .alone = std::vector<double>(size),
                      .prefix = std::vector<double>(size)};
  std::vector<std::vector<int>> truths;
  for (int k = 0; k < train.factors.factors; ++k) {
    truths.push_back(factor_column(test.factors, k));
    map.chance.push_back(moments.factors[static_cast<std::size_t>(k)].share.maxCoeff());
  }
  auto const fill = [&](std::vector<double>& table, Index subset, Index begin) {
    Index const width = groups.end(subset) - begin;
    std::vector<float> const columns = detail::columns_of(unseen, begin, width);
    for (Index k = 0; k < factors; ++k) {
      auto const at = static_cast<std::size_t>(k);
      SoftmaxWeights const weights = linear_discriminant(moments, static_cast<int>(k), begin, width);
      double const right = accuracy(softmax_predict({columns, unseen.count, width}, weights), truths[at]);
      table[static_cast<std::size_t>(k * subsets + subset)] = (right - map.chance[at]) / (1 - map.chance[at]);
    }
  };
  detail::for_pieces(pool, subsets, [&](Index subset) {
    fill(map.alone, subset, groups.begin(subset));
    fill(map.prefix, subset, 0);
  });
  return map;
}

/// The time-step at which a factor is found, in two measures. `mean` is the mean of the subsets' time-steps,
/// each weighted by how much the largest prefix score so far, which begins at 0, grows with that subset.
struct FoundStep {
  double mean = 0;
  double half = 0;  ///< the time-step of the first subset whose prefix score is at least half of the last one
};

/// From the prefix scores of a factor and the time-step of each subset (subset_centres, or first steps).
/// Empty if the last score is not above 0: the factor is not found. Throws ShapeError for unequal counts or
/// none, NumericError for NaN or infinity.
[[nodiscard]] inline std::optional<FoundStep> found_step(std::span<double const> prefix,
                                                         std::span<double const> steps) {
  if (prefix.empty() || prefix.size() != steps.size())
    fail<ShapeError>("found_step", "a time-step for each prefix, one at least",
                     {steps.size(), " for ", prefix.size()});
  for (std::span<double const> const side : {prefix, steps})
    for (double const value : side)
      if (!std::isfinite(value)) fail<NumericError>("found_step", "finite scores and time-steps", value);
  double const full = prefix.back();
  if (!(full > 0)) return std::nullopt;
  double before = 0, gained = 0, sum = 0;
  for (std::size_t i = 0; i < prefix.size(); ++i) {
    double const gain = std::max(prefix[i] - before, 0.0);
    gained += gain;
    sum += gain * steps[i];
    before += gain;
  }
  auto const half =
      std::find_if(prefix.begin(), prefix.end(), [&](double score) { return score >= full / 2; });
  return FoundStep{sum / gained, steps[static_cast<std::size_t>(half - prefix.begin())]};
}

}  // namespace diffsiam::eval
