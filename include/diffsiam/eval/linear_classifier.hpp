// LinearClassifier: the result of a linear probe, a standardisation and a linear layer with one output for
// each class or attribute.
#pragma once

#include <utility>
#include <vector>

#include <diffsiam/core/error.hpp>
#include <diffsiam/eval/features.hpp>
#include <diffsiam/eval/softmax_regression.hpp>
#include <diffsiam/eval/standardise.hpp>

namespace diffsiam::eval {

/// A fitted classifier. It takes features that are not standardised.
class LinearClassifier {
 public:
  LinearClassifier() = default;
  /// `weights` as weights() has them.
  LinearClassifier(Standardiser standardiser, RegressionWeights weights)
      : standardiser_(std::move(standardiser)), weights_(std::move(weights)) {}

  /// The width of the features.
  [[nodiscard]] Index dims() const { return standardiser_.dims(); }
  /// Outputs: classes or attributes.
  [[nodiscard]] int classes() const { return static_cast<int>(weights_.cols()); }
  [[nodiscard]] Standardiser const& standardiser() const& { return standardiser_; }
  [[nodiscard]] Standardiser standardiser() const&& { return standardiser_; }
  /// Weights for standardised features, (dims + 1, classes); the last row is the bias.
  [[nodiscard]] RegressionWeights const& weights() const& { return weights_; }
  [[nodiscard]] RegressionWeights weights() const&& { return weights_; }
  /// The weights of class or attribute `c`, (dims): the direction for standardised features in which it
  /// becomes more probable. Throws RangeError for a `c` out of range.
  [[nodiscard]] std::vector<float> direction(int c) const {
    if (c < 0 || c >= classes()) fail<RangeError>("LinearClassifier", {"a class in [0, ", classes(), ")"}, c);
    std::vector<float> result(static_cast<std::size_t>(dims()));
    for (Index j = 0; j < dims(); ++j)
      result[static_cast<std::size_t>(j)] = static_cast<float>(weights_(j, c));
    return result;
  }
  /// The logit of each class or attribute for each sample, (count, classes). Throws ShapeError if the dims
  /// differ from those of the classifier.
  [[nodiscard]] std::vector<float> scores(Features const& features, ThreadPool* pool = nullptr) const {
    std::vector<float> const z = standardiser_(features);
    return detail::linear_outputs("LinearClassifier", {z, features.count, features.dims}, 0, weights_, pool);
  }
  /// The most probable class of each sample. Throws ShapeError if the dims differ from those of the
  /// classifier.
  [[nodiscard]] std::vector<int> predict(Features const& features, ThreadPool* pool = nullptr) const {
    std::vector<float> const z = standardiser_(features);
    return softmax_predict({z, features.count, features.dims}, weights_, pool);
  }

 private:
  Standardiser standardiser_;
  RegressionWeights weights_;
};

}  // namespace diffsiam::eval
