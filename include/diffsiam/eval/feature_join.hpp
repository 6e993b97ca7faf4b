// FeatureJoin: features of the same samples by several encoders, side by side, such as a z and the principal
// components of a denoiser's activations.
#pragma once

#include <cmath>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <diffsiam/core/error.hpp>
#include <diffsiam/eval/features.hpp>

namespace diffsiam::eval {

/// (count, d_1), (count, d_2), ... -> (count, d_1 + d_2 + ...). Each part has its training mean subtracted,
/// and is divided by the root of the mean squared length of its training rows. So k-NN gives each encoder the
/// same weight, however many dims it has and whatever its scale.
class FeatureJoin {
 public:
  /// Throws ShapeError for no part and for parts of different counts, RangeError for a part that does not
  /// vary, and as require_features.
  [[nodiscard]] static FeatureJoin fit(std::span<Features const> train) {
    require_parts("FeatureJoin::fit", train);
    FeatureJoin result;
    for (Features const& features : train) {
      Part part{.mean = std::vector<double>(static_cast<std::size_t>(features.dims))};
      auto const n = static_cast<double>(features.count);
      auto const for_each_value = [&](auto&& visit) {
        for (Index i = 0; i < features.count; ++i)
          for (std::size_t j = 0; j < part.mean.size(); ++j)
            visit(static_cast<double>(features.row(i)[j]), part.mean[j]);
      };
      for_each_value([&](double value, double& mean) { mean += value / n; });
      double squares = 0, of_mean = 0;
      for_each_value([&](double value, double mean) { squares += (value - mean) * (value - mean) / n; });
      for (double const mean : part.mean) of_mean += mean * mean;
      if (detail::is_rounding(std::sqrt(squares), std::sqrt(of_mean)))
        fail<RangeError>("FeatureJoin::fit", "features that vary",
                         {"part ", result.parts_.size(), " of samples that are equal but for rounding"});
      part.scale = 1 / std::sqrt(squares);
      result.parts_.push_back(std::move(part));
    }
    return result;
  }

  /// The width of the joined features.
  [[nodiscard]] Index dims() const {
    Index sum = 0;
    for (Part const& part : parts_) sum += static_cast<Index>(part.mean.size());
    return sum;
  }

  /// The parts of other samples, in the order of the fit, joined. Throws ShapeError for other parts, dims or
  /// unequal counts, NumericError if a feature is too far from the training mean for a float.
  [[nodiscard]] std::vector<float> operator()(std::span<Features const> parts) const {
    require_parts("FeatureJoin", parts);
    if (parts.size() != parts_.size())
      fail<ShapeError>("FeatureJoin", {parts_.size(), " parts, as fitted"}, parts.size());
    for (std::size_t p = 0; p < parts.size(); ++p)
      if (parts[p].dims != static_cast<Index>(parts_[p].mean.size()))
        fail<ShapeError>("FeatureJoin", {"part ", p, " of ", parts_[p].mean.size(), " dims, as fitted"},
                         parts[p].dims);
    Index const count = parts.front().count;
    std::vector<float> result;
    result.reserve(static_cast<std::size_t>(count * dims()));
    for (Index i = 0; i < count; ++i)
      for (std::size_t p = 0; p < parts.size(); ++p)
        for (std::size_t j = 0; j < parts_[p].mean.size(); ++j) {
          double const value = static_cast<double>(parts[p].row(i)[j]);
          result.push_back(static_cast<float>((value - parts_[p].mean[j]) * parts_[p].scale));
        }
    require_finite("FeatureJoin", "features near those of training", result, dims());
    return result;
  }

 private:
  struct Part {
    std::vector<double> mean;
    double scale = 0;
  };

  static void require_parts(std::string_view operation, std::span<Features const> parts) {
    if (parts.empty()) fail<ShapeError>(operation, "features of one encoder or more", "none");
    for (Features const& part : parts) {
      require_features(operation, part);
      if (part.count != parts.front().count)
        fail<ShapeError>(operation, {parts.front().count, " samples in each part"}, part.count);
    }
  }

  std::vector<Part> parts_;
};

}  // namespace diffsiam::eval
