// Ridge classification of several factors at once: least squares towards one-hot targets (ridge.hpp), the
// class with the greatest output predicted. Cheaper than softmax regression by orders of magnitude, which
// counts where hundreds of probes are asked. scikit-learn's RidgeClassifier has alpha = n strength.
#pragma once

#include <algorithm>
#include <span>
#include <string>
#include <vector>

#include <diffsiam/core/error.hpp>
#include <diffsiam/eval/features.hpp>
#include <diffsiam/eval/ridge.hpp>

namespace diffsiam::eval {

/// values[i * factors + f]: factor f of sample i, in [0, number of its values); (count, factors).
struct FactorValues {
  std::span<int const> values;
  Index factors = 0;

  [[nodiscard]] int at(Index sample, Index factor) const {
    return values[static_cast<std::size_t>(sample * factors + factor)];
  }
};

/// Throws ShapeError unless there are `count` rows of at least one factor.
inline void require_factors(std::string_view operation, FactorValues const& factors, Index count) {
  if (factors.factors < 1 || static_cast<Index>(factors.values.size()) != count * factors.factors)
    fail<ShapeError>(operation, {"factor values (", count, ", at least 1)"},
                     {factors.values.size(), " values for (", count, ", ", factors.factors, ")"});
}

class RidgeClassifier {
 public:
  /// Throws ShapeError and NumericError as RidgeSystem, RangeError for a negative value or a factor that
  /// never varies. `pool` may be null.
  RidgeClassifier(Features const& train, FactorValues const& factors, ThreadPool* pool = nullptr)
      : first_(first_outputs(train, factors)), system_(train, one_hot(factors), pool) {}

  [[nodiscard]] Index factors() const { return static_cast<Index>(first_.size()) - 1; }
  /// The greatest training value of the factor + 1.
  [[nodiscard]] int classes(Index factor) const {
    return static_cast<int>(first_[static_cast<std::size_t>(factor) + 1] -
                            first_[static_cast<std::size_t>(factor)]);
  }

  /// Weights that read these columns alone; errors as RidgeSystem::solve.
  [[nodiscard]] RidgeWeights solve(Columns columns, double strength) const {
    return system_.solve(columns, strength);
  }
  /// The value predicted for each factor of each sample, (count, factors); of equal outputs the first.
  [[nodiscard]] std::vector<int> predict(Features const& features, RidgeWeights const& weights,
                                         ThreadPool* pool = nullptr) const {
    std::vector<float> const outputs = ridge_predict(features, weights, pool);
    std::vector<int> result;
    result.reserve(static_cast<std::size_t>(features.count * factors()));
    for (auto row = outputs.begin(); row != outputs.end(); row += first_.back())
      for (std::size_t f = 0; f + 1 < first_.size(); ++f) {
        auto const begin = row + first_[f], end = row + first_[f + 1];
        result.push_back(static_cast<int>(std::max_element(begin, end) - begin));
      }
    return result;
  }

 private:
  /// The first output of each factor, and how many there are.
  [[nodiscard]] static std::vector<std::ptrdiff_t> first_outputs(Features const& train,
                                                                 FactorValues const& factors) {
    require_features("RidgeClassifier", train);
    require_factors("RidgeClassifier", factors, train.count);
    std::vector<std::ptrdiff_t> first{0};
    for (Index f = 0; f < factors.factors; ++f) {
      int least = factors.at(0, f), most = least;
      for (Index i = 0; i < train.count; ++i) {
        least = std::min(least, factors.at(i, f));
        most = std::max(most, factors.at(i, f));
      }
      if (least < 0)
        fail<RangeError>("RidgeClassifier", "factor values of at least 0", {least, " of factor ", f});
      if (least == most)
        fail<RangeError>("RidgeClassifier", "training values that vary", {"only ", least, " for factor ", f});
      first.push_back(first.back() + most + 1);
    }
    return first;
  }
  [[nodiscard]] std::vector<float> one_hot(FactorValues const& factors) const {
    auto const width = static_cast<std::size_t>(first_.back());
    auto const count = factors.values.size() / static_cast<std::size_t>(factors.factors);
    std::vector<float> result(count * width);
    for (std::size_t i = 0; i < count; ++i)
      for (std::size_t f = 0; f + 1 < first_.size(); ++f) {
        auto const value = factors.at(static_cast<Index>(i), static_cast<Index>(f));
        result[i * width + static_cast<std::size_t>(first_[f] + value)] = 1;
      }
    return result;
  }

  std::vector<std::ptrdiff_t> first_;
  RidgeSystem system_;
};

}  // namespace diffsiam::eval
