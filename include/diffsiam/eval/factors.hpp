// Factors of variation: for each sample the level of every factor that it was made from.
#pragma once

#include <algorithm>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <diffsiam/core/error.hpp>
#include <diffsiam/eval/features.hpp>

namespace diffsiam::eval {

/// values[i * factors + k] is the level of factor k in sample i; (count, factors). Levels count from 0; not
/// all of them need occur.
struct Factors {
  std::span<int const> values;  ///< (count, factors)
  Index count = 0;              ///< samples
  int factors = 0;              ///< factors of each sample

  /// The level of factor k in sample i.
  [[nodiscard]] int level(Index i, int k) const { return values[static_cast<std::size_t>(i * factors + k)]; }
};

/// A code and the factors of each of its samples.
/// `features` is the code, and `factors` are the levels, of the same samples in the same order.
struct Factored {
  Features features;
  Factors factors;
};

/// The most levels of a factor, because tables of levels by levels are dense.
inline constexpr int most_levels = 4096;

/// The levels of factor `k`, (count).
[[nodiscard]] inline std::vector<int> factor_column(Factors const& factors, int k) {
  std::vector<int> column(static_cast<std::size_t>(factors.count));
  for (Index i = 0; i < factors.count; ++i) column[static_cast<std::size_t>(i)] = factors.level(i, k);
  return column;
}

/// The largest level in `column` + 1.
[[nodiscard]] inline int levels_of(std::span<int const> column) {
  return column.empty() ? 0 : *std::max_element(column.begin(), column.end()) + 1;
}

/// Throws ShapeError unless there are factors, `samples` samples and the right number of values, RangeError
/// for a level outside [0, most_levels).
inline void require_level_table(std::string_view operation, Factors const& factors, Index samples) {
  auto const size = static_cast<Index>(factors.values.size());
  if (factors.factors < 1 || factors.count != samples || size % factors.factors != 0 ||
      size / factors.factors != samples)
    fail<ShapeError>(
        operation,
        "factors (" + std::to_string(samples) + ", 1 or more), a row for each sample, and as many values",
        std::to_string(size) + " values for (" + std::to_string(factors.count) + ", " +
            std::to_string(factors.factors) + ")");
  for (int k = 0; k < factors.factors; ++k)
    for (Index i = 0; i < samples; ++i)
      if (int const level = factors.level(i, k); level < 0 || level >= most_levels)
        fail<RangeError>(
            operation, "levels in [0, " + std::to_string(most_levels) + ")",
            std::to_string(level) + " of factor " + std::to_string(k) + " in sample " + std::to_string(i),
            "number the levels of a factor from 0 on");
}

/// Throws as require_level_table, and RangeError for a factor that has only one level.
inline void require_factors(std::string_view operation, Factors const& factors, Index samples) {
  require_level_table(operation, factors, samples);
  for (int k = 0; k < factors.factors; ++k) {
    bool several = false;
    for (Index i = 1; i < samples && !several; ++i) several = factors.level(i, k) != factors.level(0, k);
    if (!several)
      fail<RangeError>(operation, "at least two levels of factor " + std::to_string(k),
                       "only level " + std::to_string(factors.level(0, k)), "leave out what does not vary");
  }
}

/// Throws as require_features and require_factors.
inline void require_factored(std::string_view operation, Factored const& data) {
  require_features(operation, data.features);
  require_factors(operation, data.factors, data.features.count);
}

/// Throws as require_factored for each, and ShapeError if their dims or numbers of factors differ.
inline void require_factored(std::string_view operation, Factored const& train, Factored const& test) {
  require_factored(operation, train);
  require_factored(operation, test);
  require_same_dims(operation, train.features, test.features);
  if (train.factors.factors != test.factors.factors)
    fail<ShapeError>(operation, std::to_string(train.factors.factors) + " factors, as the training samples",
                     test.factors.factors);
}

}  // namespace diffsiam::eval
