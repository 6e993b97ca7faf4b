// Softmax regression on all samples at once: minimises over W (dims, classes) and b (classes)
// f = mean_i -log softmax(W^T x_i + b)[y_i] + decay/2 |W|^2.
#pragma once

#include <algorithm>
#include <cmath>
#include <span>
#include <vector>

#include <Eigen/Core>

#include <diffsiam/eval/features.hpp>
#include <diffsiam/eval/generalised_regression.hpp>
#include <diffsiam/eval/matrix.hpp>
#include <diffsiam/functional/math.hpp>

namespace diffsiam::eval {

/// Rows 0 .. dims-1 are W, and the last row is b; (dims + 1, classes).
using SoftmaxWeights = RegressionWeights;

namespace detail {

/// Replaces the logits of a sample by probabilities, and returns -log of the probability of `label`.
inline double softmax_in_place(float* logits, Index classes, int label) {
  float const shift = *std::max_element(logits, logits + classes);
  float const target = logits[label] - shift;
  float sum = 0;
  for (Index c = 0; c < classes; ++c) logits[c] = functional::exp(logits[c] - shift);
  for (Index c = 0; c < classes; ++c) sum += logits[c];
  for (Index c = 0; c < classes; ++c) logits[c] /= sum;
  return std::log(static_cast<double>(sum)) - static_cast<double>(target);
}

struct SoftmaxLink {
  static constexpr double bound = 0.5;
  std::span<int const> labels;

  double residual(float* row, Index classes, Index sample) const {
    int const label = labels[static_cast<std::size_t>(sample)];
    double const loss = softmax_in_place(row, classes, label);
    row[label] -= 1;
    return loss;
  }
};

}  // namespace detail

/// The most probable class of each sample, the first one if several are equal. Throws ShapeError if the
/// weights have other dims, NumericError for features whose logits are not finite.
[[nodiscard]] inline std::vector<int> softmax_predict(Features const& features, SoftmaxWeights const& weights,
                                                      ThreadPool* pool = nullptr) {
  require_feature_shape("softmax_predict", features);
  if (weights.rows() != features.dims + 1 || weights.cols() < 1)
    fail<ShapeError>("softmax_predict", {"weights of ", features.dims + 1, " rows, the last the bias"},
                     {weights.rows(), " rows of ", weights.cols()});
  std::vector<float> const logits = detail::linear_outputs("softmax_predict", features, 0, weights, pool);
  std::vector<int> result(static_cast<std::size_t>(features.count));
  for (Index i = 0; i < features.count; ++i) {
    float const* const row = logits.data() + i * weights.cols();
    result[static_cast<std::size_t>(i)] = static_cast<int>(std::max_element(row, row + weights.cols()) - row);
  }
  return result;
}

/// The function f and its minimisation: see GeneralisedRegression.
class SoftmaxRegression : public GeneralisedRegression<detail::SoftmaxLink> {
 public:
  /// Labels are in [0, classes); features must be standardised, or at least centred. All data must outlive
  /// this object. `pool` may be null. Throws as require_labelled.
  SoftmaxRegression(Labelled const& data, int classes, ThreadPool* pool = nullptr)
      : GeneralisedRegression{checked(data, classes), classes, detail::SoftmaxLink{data.labels}, pool} {}

 private:
  [[nodiscard]] static Features const& checked(Labelled const& data, int classes) {
    require_labelled("SoftmaxRegression", data, classes);
    return data.features;
  }
};

}  // namespace diffsiam::eval
