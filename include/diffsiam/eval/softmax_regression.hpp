// Softmax regression, full batch: minimise over W (dims, classes) and b (classes)
//   f = mean_i -log softmax(W^T x_i + b)[y_i] + decay/2 |W|^2.
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

/// Rows 0 .. dims-1 are W, the last row is b; (dims + 1, classes).
using SoftmaxWeights = RegressionWeights;

namespace detail {

/// Turns the logits of a sample into probabilities and returns -log of that of `label`.
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

/// The most probable class of each sample, of equals the first. Throws ShapeError for weights of other dims,
/// NumericError for features whose logits are not finite.
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

/// The function f and its minimisation.
class SoftmaxRegression : public GeneralisedRegression<detail::SoftmaxLink> {
 public:
  /// Labels in [0, classes); features standardised, or at least centred. `pool` may be null. All must outlive
  /// this. Throws as require_labelled.
  SoftmaxRegression(Labelled const& data, int classes, ThreadPool* pool = nullptr)
      : GeneralisedRegression{checked(data, classes), classes, detail::SoftmaxLink{data.labels}, pool} {}

 private:
  [[nodiscard]] static Features const& checked(Labelled const& data, int classes) {
    require_labelled("SoftmaxRegression", data, classes);
    return data.features;
  }
};

}  // namespace diffsiam::eval
