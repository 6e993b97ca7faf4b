// The map of subsets by factors: how well a linear probe reads each factor from each subset of z alone, and
// from the first subsets up to it. If subsets hold what is lost around their time-steps, each factor is found
// where theory says it is lost; found_step says where that is, and spearman_r whether the order agrees.
// The probe is a ridge classifier on standardised codes.
#pragma once

#include <algorithm>
#include <optional>
#include <span>
#include <vector>

#include <diffsiam/core/error.hpp>
#include <diffsiam/encoder/timestep_partition.hpp>
#include <diffsiam/eval/features.hpp>
#include <diffsiam/eval/ridge_classifier.hpp>
#include <diffsiam/eval/standardise.hpp>

namespace diffsiam::eval {

struct SubsetFactorConfig {
  double strength = 1e-3;  ///< of the ridge, beside standardised codes of variance 1
};

/// Scores are (accuracy - chance)/(1 - chance) on test data: 0 for the most frequent training value, 1 for
/// all right; negative is possible. Both tables are (factors, subsets), row-major.
struct SubsetFactorMap {
  Index factors = 0;
  Index subsets = 0;
  std::vector<double> alone{};   ///< from subset i only
  std::vector<double> prefix{};  ///< from subsets 0 .. i
  std::vector<double> chance{};  ///< of each factor: the share of its most frequent training value

  [[nodiscard]] std::span<double const> alone_of(Index factor) const { return row(alone, factor); }
  [[nodiscard]] std::span<double const> prefix_of(Index factor) const { return row(prefix, factor); }

 private:
  [[nodiscard]] std::span<double const> row(std::vector<double> const& table, Index factor) const {
    if (factor < 0 || factor >= factors)
      fail<RangeError>("SubsetFactorMap", {"a factor in [0, ", factors, ")"}, factor);
    return std::span{table}.subspan(static_cast<std::size_t>(factor * subsets),
                                    static_cast<std::size_t>(subsets));
  }
};

/// e_i of each subset, as subset_factor_map takes them.
[[nodiscard]] inline std::vector<Index> subset_ends(encoder::TimestepPartition const& partition) {
  std::vector<Index> ends;
  for (int i = 0; i < partition.subsets(); ++i) ends.push_back(partition.end(i));
  return ends;
}
/// The mean time-step of each subset, as found_step takes them.
[[nodiscard]] inline std::vector<double> subset_centres(encoder::TimestepPartition const& partition) {
  std::vector<double> centres;
  for (int i = 0; i < partition.subsets(); ++i) {
    int const next = i + 1 < partition.subsets() ? partition.first_step(i + 1) : partition.timesteps();
    centres.push_back((partition.first_step(i) + next - 1) / 2.0);
  }
  return centres;
}

namespace detail {

/// The share of the most frequent value of each factor.
[[nodiscard]] inline std::vector<double> most_frequent_shares(FactorValues const& factors, Index count) {
  std::vector<double> shares;
  for (Index f = 0; f < factors.factors; ++f) {
    std::vector<Index> counts;
    for (Index i = 0; i < count; ++i) {
      auto const value = static_cast<std::size_t>(factors.at(i, f));
      if (value >= counts.size()) counts.resize(value + 1);
      ++counts[value];
    }
    shares.push_back(static_cast<double>(*std::max_element(counts.begin(), counts.end())) /
                     static_cast<double>(count));
  }
  return shares;
}

inline void require_ends(std::span<Index const> ends, Index dims) {
  Index previous = 0;
  for (Index const end : ends) {
    if (end <= previous)
      fail<RangeError>("subset_factor_map", "ascending ends of subsets", {end, " after ", previous});
    previous = end;
  }
  if (previous != dims)
    fail<ShapeError>("subset_factor_map", {"subsets that end at the ", dims, " dims of the codes"},
                     {"an end at ", previous});
}

}  // namespace detail

/// `ends` are one past the last column of each subset, the last the width of the codes. Throws ShapeError for
/// widths and counts that do not fit, RangeError for ends that do not ascend, a factor that never varies in
/// training or a negative value, NumericError for NaN, ConfigError for a strength not above 0. `pool` may be
/// null.
[[nodiscard]] inline SubsetFactorMap subset_factor_map(Features const& train,
                                                       FactorValues const& train_factors,
                                                       Features const& test, FactorValues const& test_factors,
                                                       std::span<Index const> ends,
                                                       SubsetFactorConfig const& config = {},
                                                       ThreadPool* pool = nullptr) {
  require_features("subset_factor_map", train);
  require_features("subset_factor_map", test);
  require_factors("subset_factor_map", train_factors, train.count);
  require_factors("subset_factor_map", test_factors, test.count);
  if (test_factors.factors != train_factors.factors)
    fail<ShapeError>("subset_factor_map", {train_factors.factors, " factors, as in training"},
                     test_factors.factors);
  detail::require_ends(ends, train.dims);

  Standardiser const standardiser = Standardiser::fit(train);
  std::vector<float> const train_codes = standardiser(train), test_codes = standardiser(test);
  Features const unseen{test_codes, test.count, test.dims};
  RidgeClassifier const classifier{{train_codes, train.count, train.dims}, train_factors, pool};

  auto const subsets = static_cast<Index>(ends.size());
  auto const size = static_cast<std::size_t>(train_factors.factors * subsets);
  SubsetFactorMap map{.factors = train_factors.factors,
                      .subsets = subsets,
                      .alone = std::vector<double>(size),
                      .prefix = std::vector<double>(size),
                      .chance = detail::most_frequent_shares(train_factors, train.count)};
  auto const score = [&](Columns columns, std::vector<double>& table, Index subset) {
    std::vector<int> const predicted =
        classifier.predict(unseen, classifier.solve(columns, config.strength), pool);
    for (Index f = 0; f < map.factors; ++f) {
      Index right = 0;
      for (Index i = 0; i < test.count; ++i)
        right += predicted[static_cast<std::size_t>(i * map.factors + f)] == test_factors.at(i, f) ? 1 : 0;
      double const chance = map.chance[static_cast<std::size_t>(f)];
      table[static_cast<std::size_t>(f * subsets + subset)] =
          (static_cast<double>(right) / static_cast<double>(test.count) - chance) / (1 - chance);
    }
  };
  for (Index i = 0; i < subsets; ++i) {
    Index const begin = i == 0 ? 0 : ends[static_cast<std::size_t>(i - 1)];
    Index const end = ends[static_cast<std::size_t>(i)];
    score({begin, end}, map.alone, i);
    score({0, end}, map.prefix, i);
  }
  return map;
}

/// Where among the time-steps a factor is found.
struct FoundStep {
  double mean = 0;  ///< of the subsets' steps, each weighted by what the prefix score gains with that subset;
                    ///< the curve begins at 0, scores below 0 count as 0, and so do losses
  double half = 0;  ///< the step of the first subset with which the prefix reaches half of its last score
};

/// From the prefix scores of a factor and the time-step each subset stands for (subset_centres, or first
/// steps). Nothing where the last score is not above 0: the factor is not found. Throws ShapeError for
/// unequal counts or none.
[[nodiscard]] inline std::optional<FoundStep> found_step(std::span<double const> prefix,
                                                         std::span<double const> steps) {
  if (prefix.empty() || prefix.size() != steps.size())
    fail<ShapeError>("found_step", "a time-step for each prefix, one at least",
                     {steps.size(), " for ", prefix.size()});
  double const full = prefix.back();
  if (!(full > 0)) return std::nullopt;
  double before = 0, gained = 0, sum = 0;
  for (std::size_t i = 0; i < prefix.size(); ++i) {
    double const score = std::max(prefix[i], 0.0);
    double const gain = std::max(score - before, 0.0);
    gained += gain;
    sum += gain * steps[i];
    before = score;
  }
  auto const half =
      std::find_if(prefix.begin(), prefix.end(), [&](double score) { return score >= full / 2; });
  return FoundStep{sum / gained, steps[static_cast<std::size_t>(half - prefix.begin())]};
}

}  // namespace diffsiam::eval
