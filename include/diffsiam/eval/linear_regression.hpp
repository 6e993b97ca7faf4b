// Linear regression of several real targets from features, by ridge (ridge.hpp) on standardised features. One
// strength serves all targets: that with the least validation error, the mean over targets of squared error
// over the target's training variance; of equals the greatest. Test data are looked at once, at the end.
#pragma once

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include <diffsiam/core/error.hpp>
#include <diffsiam/eval/features.hpp>
#include <diffsiam/eval/metrics.hpp>
#include <diffsiam/eval/ridge.hpp>
#include <diffsiam/eval/standardise.hpp>

namespace diffsiam::eval {

/// Features and values[i * targets + k], target k of sample i; (count, targets).
struct Measured {
  Features features;
  std::span<float const> values;
  Index targets = 0;
};

struct LinearRegressionConfig {
  std::vector<double> strengths{1, 1e-1, 1e-2, 1e-3, 1e-4, 1e-5};  ///< beside features of variance 1
};

struct LinearRegressionResult {
  double mean_pearson_r = 0;        ///< on test data, of the targets' r, a constant prediction's taken for 0
  double mean_squared_error = 0;    ///< on test data, of the targets' errors, in their units squared
  std::vector<double> pearson_r{};  ///< of each target; NaN where the prediction is constant
  std::vector<double> squared_error{};  ///< of each target
  double strength = 0;                  ///< chosen
  double validation_error = 0;          ///< what it was chosen by: 1 for the training mean
  std::vector<float> predictions{};     ///< of test samples, (count, targets)
};

namespace detail {

[[nodiscard]] inline std::vector<float> target_column(std::span<float const> values, Index targets, Index k) {
  std::vector<float> column;
  for (auto i = static_cast<std::size_t>(k); i < values.size(); i += static_cast<std::size_t>(targets))
    column.push_back(values[i]);
  return column;
}

/// Throws unless `data` is (count, targets) of finite values, each of which varies where that is needed.
inline void require_measured(std::string_view part, Measured const& data, Index targets, bool varying) {
  constexpr std::string_view operation = "linear_regression";
  require_features(operation, data.features);
  if (data.targets != targets || targets < 1 ||
      static_cast<Index>(data.values.size()) != data.features.count * targets)
    fail<ShapeError>(operation, {part, " targets (", data.features.count, ", ", targets, "), at least 1"},
                     {data.values.size(), " values for ", data.targets, " targets"});
  require_features(operation, {data.values, data.features.count, targets});
  for (Index k = 0; varying && k < targets; ++k) {
    std::vector<float> const column = target_column(data.values, targets, k);
    if (std::adjacent_find(column.begin(), column.end(), std::not_equal_to<>()) == column.end())
      fail<RangeError>(operation, {part, " targets that vary"}, {"only ", column.front(), " for target ", k});
  }
}

}  // namespace detail

/// Throws ShapeError for widths or counts that do not fit, NumericError for NaN, RangeError for a target that
/// is constant in the training or test part, ConfigError for no strength or one not above 0. `pool` may be
/// null.
[[nodiscard]] inline LinearRegressionResult linear_regression(Measured const& train,
                                                              Measured const& validation,
                                                              Measured const& test,
                                                              LinearRegressionConfig const& config = {},
                                                              ThreadPool* pool = nullptr) {
  if (config.strengths.empty()) fail<ConfigError>("linear_regression", "at least one strength", "none");
  for (double const strength : config.strengths)
    if (!(strength > 0) || std::isinf(strength))
      fail<ConfigError>("linear_regression", "finite strengths above 0", strength);
  Index const targets = train.targets, dims = train.features.dims;
  detail::require_measured("training", train, targets, true);
  detail::require_measured("validation", validation, targets, false);
  detail::require_measured("test", test, targets, true);
  for (Measured const* const part : {&validation, &test})
    if (part->features.dims != dims)
      fail<ShapeError>("linear_regression", {dims, " dims, as the training features"}, part->features.dims);

  Standardiser const standardiser = Standardiser::fit(train.features);
  std::vector<float> const seen = standardiser(train.features), held_out = standardiser(validation.features);
  RidgeSystem const system{{seen, train.features.count, dims}, train.values, pool};
  std::vector<double> variances;
  Features const measured{train.values, train.features.count, targets};
  Eigen::VectorXd const means = mean_of(measured);
  for (Index k = 0; k < targets; ++k) {
    double sum = 0;
    for (Index i = 0; i < measured.count; ++i)
      sum += std::pow(static_cast<double>(measured.row(i)[k]) - means[k], 2);
    variances.push_back(sum / static_cast<double>(measured.count));
  }
  auto const error_of = [&](std::vector<float> const& predictions, Measured const& part, Index k) {
    return eval::mean_squared_error(detail::target_column(predictions, targets, k),
                                    detail::target_column(part.values, targets, k));
  };

  LinearRegressionResult result{.validation_error = std::numeric_limits<double>::infinity()};
  RidgeWeights best;
  std::vector<double> strengths = config.strengths;
  std::sort(strengths.begin(), strengths.end(), std::greater<>());
  for (double const strength : strengths) {
    RidgeWeights weights = system.solve({0, dims}, strength);
    std::vector<float> const predictions =
        ridge_predict({held_out, validation.features.count, dims}, weights, pool);
    double error = 0;
    for (Index k = 0; k < targets; ++k)
      error += error_of(predictions, validation, k) / variances[static_cast<std::size_t>(k)];
    error /= static_cast<double>(targets);
    if (!best.values.size() || error < result.validation_error) {
      result.validation_error = error;
      result.strength = strength;
      best = std::move(weights);
    }
  }

  std::vector<float> const unseen = standardiser(test.features);
  result.predictions = ridge_predict({unseen, test.features.count, dims}, best, pool);
  for (Index k = 0; k < targets; ++k) {
    std::vector<float> const predicted = detail::target_column(result.predictions, targets, k);
    bool const varies =
        std::adjacent_find(predicted.begin(), predicted.end(), std::not_equal_to<>()) != predicted.end();
    result.pearson_r.push_back(
        varies ? eval::pearson_r(predicted, detail::target_column(test.values, targets, k))
               : std::numeric_limits<double>::quiet_NaN());
    result.squared_error.push_back(error_of(result.predictions, test, k));
    if (varies) result.mean_pearson_r += result.pearson_r.back() / static_cast<double>(targets);
    result.mean_squared_error += result.squared_error.back() / static_cast<double>(targets);
  }
  return result;
}

}  // namespace diffsiam::eval
