// Linear probe of many binary attributes at once: a logistic regression for each on the same standardised
// features, minimised together,
//   f = mean_i sum_a BCE(w_a . x_i + b_a, y_ia) + decay/2 sum_a |w_a|^2,
// for each weight decay, from the largest to the smallest. The decay with the largest mean average precision
// on validation data is kept, the largest one if several are equal. Test data are used once, at the end. The
// decay corresponds to C = 1/(n decay) of scikit-learn's LogisticRegression.
#pragma once

#include <algorithm>
#include <cmath>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include <diffsiam/core/error.hpp>
#include <diffsiam/eval/features.hpp>
#include <diffsiam/eval/generalised_regression.hpp>
#include <diffsiam/eval/linear_classifier.hpp>
#include <diffsiam/eval/metrics.hpp>
#include <diffsiam/functional/math.hpp>

namespace diffsiam::eval {

/// Features, and positive[i * attributes + a] = 1 if sample i has attribute a, else 0; (count, attributes).
/// `features` are of the same samples, and `attributes` is the number of columns.
struct Attributed {
  Features features;
  std::span<int const> positive;
  Index attributes = 0;
};

/// Settings of multilabel_probe(). `weight_decays` are those among which it chooses.
struct MultilabelProbeConfig {
  std::vector<double> weight_decays{1e-2, 1e-3, 1e-4, 1e-5};
  int most_steps = 200;     ///< for each weight decay
  double tolerance = 1e-5;  ///< of the training loss, in nats for each attribute
};

namespace detail {

struct LogisticLink {
  static constexpr double bound = 0.25;
  std::span<int const> positive;

  double residual(float* row, Index attributes, Index sample) const {
    int const* const truth = positive.data() + sample * attributes;
    double loss = 0;
    for (Index a = 0; a < attributes; ++a) {
      // -log of the probability of the true value is log(1 + exp(-margin)).
      float const margin = truth[a] != 0 ? row[a] : -row[a];
      float const e = functional::exp(-std::abs(margin));
      loss += std::log1p(static_cast<double>(e)) + static_cast<double>(std::max(-margin, 0.0F));
      float const wrong = (margin > 0 ? e : 1.0F) / (1 + e);
      row[a] = truth[a] != 0 ? -wrong : wrong;
    }
    return loss;
  }
};

/// Throws unless `data` is (count, attributes) with values 0 and 1, and each attribute has a positive sample
/// and, if both values are needed, a negative one.
inline void require_attributed(std::string_view part, Attributed const& data, Index attributes,
                               bool both_values) {
  constexpr std::string_view operation = "multilabel_probe";
  require_features(operation, data.features);
  if (data.attributes != attributes || attributes < 1 ||
      static_cast<Index>(data.positive.size()) != data.features.count * attributes)
    fail<ShapeError>(operation,
                     {part, " attributes (", data.features.count, ", ", attributes, "), at least 1"},
                     {data.positive.size(), " values for ", data.attributes, " attributes"});
  std::vector<Index> positives(static_cast<std::size_t>(attributes));
  for (std::size_t i = 0; i < data.positive.size(); ++i) {
    if (data.positive[i] != 0 && data.positive[i] != 1)
      fail<RangeError>(operation, "attributes 0 or 1",
                       {data.positive[i], " of ", part, " sample ", static_cast<Index>(i) / attributes});
    positives[i % positives.size()] += data.positive[i];
  }
  for (std::size_t a = 0; a < positives.size(); ++a)
    if (positives[a] == 0 || (both_values && positives[a] == data.features.count))
      fail<RangeError>(
          operation,
          both_values ? "samples with and without each attribute" : "a positive for each attribute",
          {positives[a] == 0 ? "none with" : "none without", " attribute ", a, " among the ", part, " data"},
          "leave the attribute out, or cut the parts otherwise");
}

}  // namespace detail

/// The result of multilabel_probe().
struct MultilabelProbeResult {
  double mean_average_precision = 0;             ///< on test data, in [0, 1]
  double validation_mean_average_precision = 0;  ///< the value by which the decay was chosen
  std::vector<double> average_precision{};       ///< of each attribute, on test data
  double weight_decay = 0;                       ///< the chosen weight decay
  bool converged = false;                        ///< whether every minimisation converged
  LinearClassifier classifier{};                 ///< a column for each attribute
};

/// Throws ShapeError for dims or counts that do not fit, NumericError for NaN or infinity, RangeError for an
/// attribute that no validation or test sample has, or that does not vary in training, ConfigError for no
/// weight decay, a negative one or no step. `pool` may be null.
[[nodiscard]] inline MultilabelProbeResult multilabel_probe(Attributed const& train,
                                                            Attributed const& validation,
                                                            Attributed const& test,
                                                            MultilabelProbeConfig const& config = {},
                                                            ThreadPool* pool = nullptr) {
  std::vector<double> const decays =
      sorted_penalties("multilabel_probe", "weight decays", config.weight_decays);
  if (config.most_steps < 1) fail<ConfigError>("multilabel_probe", "at least one step", config.most_steps);
  Index const attributes = train.attributes, dims = train.features.dims;
  detail::require_attributed("training", train, attributes, true);
  detail::require_attributed("validation", validation, attributes, false);
  detail::require_attributed("test", test, attributes, false);
  for (Attributed const* const part : {&validation, &test})
    require_same_dims("multilabel_probe", train.features, part->features);

  Standardiser const standardiser = Standardiser::fit(train.features);
  std::vector<float> const values = standardiser(train.features);
  GeneralisedRegression<detail::LogisticLink> regression{
      {values, train.features.count, dims}, attributes, {train.positive}, pool};

  MultilabelProbeResult result{.validation_mean_average_precision = -1, .converged = true};
  RegressionWeights weights = RegressionWeights::Zero(dims + 1, attributes);
  for (double const decay : decays) {
    bool const converged =
        regression.minimise(weights, decay, config.most_steps,
                            config.tolerance * static_cast<double>(attributes), [](int, auto const&) {});
    result.converged = result.converged && converged;
    LinearClassifier classifier{standardiser, weights};
    double const score =
        mean_average_precision(classifier.scores(validation.features, pool), validation.positive, attributes);
    if (score <= result.validation_mean_average_precision) continue;
    result.validation_mean_average_precision = score;
    result.weight_decay = decay;
    result.classifier = std::move(classifier);
  }

  std::vector<float> const scores = result.classifier.scores(test.features, pool);
  result.average_precision = average_precisions(scores, test.positive, attributes);
  result.mean_average_precision = mean_average_precision(scores, test.positive, attributes);
  return result;
}

}  // namespace diffsiam::eval
