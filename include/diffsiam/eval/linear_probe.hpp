// Linear probe: how well a linear layer predicts classes from frozen features. Features are standardised with
// the mean and deviation of the training data. Softmax regression is minimised for each weight decay, from
// the largest to the smallest, each starting at the last result, until one lowers the validation accuracy.
// The step with the best validation accuracy is kept, the first one if several are equal. Test data are used
// once, at the end.
#pragma once

#include <algorithm>
#include <vector>

#include <diffsiam/core/error.hpp>
#include <diffsiam/eval/features.hpp>
#include <diffsiam/eval/linear_classifier.hpp>
#include <diffsiam/eval/metrics.hpp>

namespace diffsiam::eval {

/// Settings of linear_probe(). `weight_decays` are those among which it chooses.
struct LinearProbeConfig {
  std::vector<double> weight_decays{1e-2, 1e-3, 1e-4, 1e-5};
  int most_steps = 100;     ///< for each weight decay
  double tolerance = 1e-5;  ///< of the training loss, in nats
  int classes = 0;          ///< 0 means the largest training label + 1
};

/// The result of linear_probe().
struct LinearProbeResult {
  double accuracy = 0;              ///< on test data, in [0, 1]
  double validation_accuracy = 0;   ///< the accuracy by which the step was chosen
  std::vector<double> per_class{};  ///< on test data; NaN for a class without samples
  double weight_decay = 0;          ///< the chosen weight decay
  int step = 0;                     ///< the chosen step, within that weight decay
  bool converged = false;           ///< whether every minimisation converged
  std::vector<int> predictions{};   ///< on test data
  LinearClassifier classifier{};    ///< the fit that was chosen
};

/// Throws ShapeError for dims or counts that do not fit, NumericError for NaN or infinity, RangeError for
/// labels out of range or of only one class, ConfigError for no weight decay or a negative one. `pool` may be
/// null.
[[nodiscard]] inline LinearProbeResult linear_probe(Labelled const& train, Labelled const& validation,
                                                    Labelled const& test,
                                                    LinearProbeConfig const& config = {},
                                                    ThreadPool* pool = nullptr) {
  std::vector<double> const decays = sorted_penalties("linear_probe", "weight decays", config.weight_decays);
  if (config.most_steps < 1) fail<ConfigError>("linear_probe", "at least one step", config.most_steps);
  int const classes = resolve_classes("linear_probe", config.classes, train.labels);
  for (Labelled const* const part : {&train, &validation, &test}) {
    require_labelled("linear_probe", *part, classes);
    require_same_dims("linear_probe", train.features, part->features);
  }

  Standardiser const standardiser = Standardiser::fit(train.features);
  std::vector<float> const train_values = standardiser(train.features);
  std::vector<float> const validation_values = standardiser(validation.features);
  Features const seen{validation_values, validation.features.count, validation.features.dims};
  SoftmaxRegression regression{
      {{train_values, train.features.count, train.features.dims}, train.labels}, classes, pool};

  LinearProbeResult result{.validation_accuracy = -1, .converged = true};
  SoftmaxWeights weights = SoftmaxWeights::Zero(train.features.dims + 1, classes);
  SoftmaxWeights best;
  auto const consider = [&](double decay, int step, SoftmaxWeights const& reached) {
    double const score = accuracy(softmax_predict(seen, reached, pool), validation.labels);
    if (score <= result.validation_accuracy) return score;
    result.validation_accuracy = score;
    result.weight_decay = decay;
    result.step = step;
    best = reached;
    return score;
  };
  consider(decays.front(), 0, weights);
  double best_before = -1;
  for (double const decay : decays) {
    double best_here = -1;
    bool const converged = regression.minimise(
        weights, decay, config.most_steps, config.tolerance, [&](int step, SoftmaxWeights const& reached) {
          best_here = std::max(best_here, consider(decay, step, reached));
        });
    result.converged = result.converged && converged;
    if (best_here >= 0 && best_here < best_before) break;  // a smaller decay only overfits more
    best_before = std::max(best_before, best_here);
  }
  result.classifier = LinearClassifier{standardiser, best};
  result.predictions = result.classifier.predict(test.features, pool);
  result.accuracy = accuracy(result.predictions, test.labels);
  result.per_class = accuracy_per_class(result.predictions, test.labels, classes);
  return result;
}

}  // namespace diffsiam::eval
