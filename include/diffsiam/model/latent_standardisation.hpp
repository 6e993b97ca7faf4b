// LatentStandardisation: transforms each dim of z to mean 0 and deviation 1, and back.
#pragma once

#include <cmath>
#include <limits>
#include <span>
#include <string_view>
#include <vector>

#include <diffsiam/core/strided.hpp>
#include <diffsiam/core/text.hpp>
#include <diffsiam/functional/activation.hpp>
#include <diffsiam/functional/norm.hpp>
#include <diffsiam/tensor/tensor.hpp>

namespace diffsiam::model {

/// (z - mean) scale for each dim, and the inverse. Mean and scale are numbers such as eval::Standardiser
/// computes. Scale 0 stands for a constant dim: it becomes 0, and its mean in the inverse.
template <class B>
class LatentStandardisation {
 public:
  /// Throws ShapeError unless both have the same width of at least 1. Throws ConfigError for numbers that are
  /// not finite, for a scale below 0, and for one whose inverse or product with the mean no float can hold.
  LatentStandardisation(typename B::Context& context, std::span<float const> mean,
                        std::span<float const> scale) {
    constexpr std::string_view name = "LatentStandardisation";
    if (mean.empty() || mean.size() != scale.size())
      fail<ShapeError>(name, "a mean and a scale for each dim", {mean.size(), " and ", scale.size()});
    std::vector<double> there(mean.size()), there_offset(there), back(there), back_offset(there);
    for (std::size_t j = 0; j < mean.size(); ++j) {
      if (!std::isfinite(mean[j]) || !std::isfinite(scale[j]) || scale[j] < 0)
        fail<ConfigError>(name, "finite means, and scales of at least 0",
                          {"mean ", mean[j], " and scale ", scale[j], " in dim ", j});
      there[j] = static_cast<double>(scale[j]);
      back_offset[j] = static_cast<double>(mean[j]);
      there_offset[j] = -back_offset[j] * there[j];
      back[j] = there[j] > 0 ? 1 / there[j] : 0;
      constexpr double greatest = std::numeric_limits<float>::max();
      if (back[j] > greatest || std::abs(there_offset[j]) > greatest)
        fail<ConfigError>(name, "scales whose inverse and product with the mean a float holds",
                          {"mean ", mean[j], " and scale ", scale[j], " in dim ", j},
                          "a scale of 0 is for constant dims");
    }
    auto const tensor = [&](std::vector<double> const& values) {
      return Tensor<B>::from(context, {static_cast<Index>(values.size())}, std::span{values});
    };
    there_ = {tensor(there), tensor(there_offset)};
    back_ = {tensor(back), tensor(back_offset)};
  }

  /// d, the width of z.
  [[nodiscard]] Index dims() const { return there_.factor.size(); }
  [[nodiscard]] typename B::Context& context() const { return there_.factor.context(); }
  /// z (n, dims) in standardised space.
  [[nodiscard]] Tensor<B> standardised(Tensor<B> const& z) const { return apply(there_, z); }
  /// Called by the module that has this standardisation.
  template <class F>
  void for_each_setting(F&& f) const {
    f("mean", back_.offset.template values<double>());
    f("scale", there_.factor.template values<double>());
  }
  /// The inverse.
  [[nodiscard]] Tensor<B> restored(Tensor<B> const& z) const { return apply(back_, z); }

 private:
  struct Affine {
    Tensor<B> factor, offset;  // (dims)
  };
  [[nodiscard]] Tensor<B> apply(Affine const& affine, Tensor<B> const& z) const {
    require_shape("LatentStandardisation", {z.shape().samples(), dims()}, z.shape(),
                  "z is as wide as its mean");
    Tensor<B> result{z.context(), z.shape()};
    SampleGrid const g{1, z.shape().samples(), dims()};
    B::for_each(z.context(), g.grid(), functional::AffineActivate<functional::Identity>{},
                g.full(result.data()), g.full(z.data()), g.per_channel(affine.factor.data()),
                g.per_channel(affine.offset.data()));
    return result;
  }

  Affine there_, back_;
};

}  // namespace diffsiam::model
