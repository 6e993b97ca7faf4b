// Standardiser: subtracts the mean from each dim and divides by the standard deviation, both of the training
// features.
#pragma once

#include <cmath>
#include <string>
#include <vector>

#include <diffsiam/core/error.hpp>
#include <diffsiam/eval/features.hpp>

namespace diffsiam::eval {

/// z_j = (x_j - mean_j) * scale_j, where scale_j = 1 / standard deviation (over n, not n - 1). It is 0 for a
/// constant dim, whose deviation is at most 1e-6 of its mean, which is rounding, or below 1e-30.
class Standardiser {
 public:
  Standardiser() = default;
  /// Throws ShapeError and NumericError as require_features.
  [[nodiscard]] static Standardiser fit(Features const& train) {
    require_features("Standardiser::fit", train);
    auto const dims = static_cast<std::size_t>(train.dims);
    auto const n = static_cast<double>(train.count);
    std::vector<double> mean(dims), variance(dims);
    for (Index i = 0; i < train.count; ++i)
      for (std::size_t j = 0; j < dims; ++j) mean[j] += static_cast<double>(train.row(i)[j]);
    for (double& value : mean) value /= n;
    for (Index i = 0; i < train.count; ++i)
      for (std::size_t j = 0; j < dims; ++j) {
        double const distance = static_cast<double>(train.row(i)[j]) - mean[j];
        variance[j] += distance * distance;
      }
    Standardiser result;
    for (std::size_t j = 0; j < dims; ++j) {
      double const deviation = std::sqrt(variance[j] / n);
      bool const constant = detail::is_rounding(deviation, mean[j]);
      result.mean_.push_back(static_cast<float>(mean[j]));
      result.scale_.push_back(constant ? 0.0F : static_cast<float>(1 / deviation));
    }
    return result;
  }

  /// The width of the features.
  [[nodiscard]] Index dims() const { return static_cast<Index>(mean_.size()); }
  [[nodiscard]] std::vector<float> const& mean() const& { return mean_; }
  [[nodiscard]] std::vector<float> mean() const&& { return mean_; }
  [[nodiscard]] std::vector<float> const& scale() const& { return scale_; }
  [[nodiscard]] std::vector<float> scale() const&& { return scale_; }

  /// A standardised copy, (count, dims). Throws ShapeError if the dims differ from those of the fit,
  /// NumericError if a feature is too many deviations from the mean for a float.
  [[nodiscard]] std::vector<float> operator()(Features const& features) const {
    require_features("Standardiser", features);
    if (features.dims != dims())
      fail<ShapeError>("Standardiser", std::to_string(dims()) + " dims, as fitted", features.dims);
    std::vector<float> result(features.values.size());
    auto const width = static_cast<std::size_t>(dims());
    for (std::size_t begin = 0; begin < result.size(); begin += width)
      for (std::size_t j = 0; j < width; ++j)
        result[begin + j] = (features.values[begin + j] - mean_[j]) * scale_[j];
    require_finite("Standardiser", "features within 1e38 deviations of the training mean", result, dims());
    return result;
  }

 private:
  std::vector<float> mean_, scale_;
};

}  // namespace diffsiam::eval
