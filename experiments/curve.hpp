// How much of the factors the features hold while an encoder learns, on validation pictures.
#pragma once

#include <algorithm>
#include <vector>

#include <diffsiam/eval/linear_probe.hpp>
#include <diffsiam/io/format_number.hpp>

#include <experiments/learner.hpp>
#include <experiments/support/measures.hpp>

namespace example {

/// The linear probe's validation accuracy for each factor, from at most `most` training pictures.
struct CurvePoint {
  std::uint64_t step = 0;
  double seconds = 0;            ///< of the processor
  std::vector<double> accuracy;  ///< of each factor
  [[nodiscard]] double mean() const {
    double sum = 0;
    for (double const a : accuracy) sum += a;
    return sum / static_cast<double>(accuracy.size());
  }
};

/// Test pictures are left alone.
class Curve {
 public:
  Curve(B::Context& context, ExperimentData const& data, ds::Index most = 10000)
      : context_(&context),
        data_(&data),
        train_(data.pictures.train.slice(0, std::min(most, data.pictures.train.size()))) {}

  template <class Encoder>
  CurvePoint const& look(Encoder const& encoder, std::uint64_t step) {
    return add(features(encoder), step);
  }
  /// Those of the first training pictures, and of all validation pictures.
  template <class Encoder>
  [[nodiscard]] FeatureSet features(Encoder const& encoder) const {
    return {encoder.latent_dims(),
            ds::eval::encode(*context_, encoder, train_),
            ds::eval::encode(*context_, encoder, data_->pictures.validation),
            {}};
  }
  /// Looks at such features at hand.
  CurvePoint const& add(FeatureSet const& z, std::uint64_t step) {
    CurvePoint point{.step = step, .seconds = processor_seconds() - start_, .accuracy = {}};
    FactorTable const& factors = data_->factors;
    for (std::size_t f = 0; f < factors.factors(); ++f) {
      auto labels = factors.column(factors.train, f);
      labels.resize(static_cast<std::size_t>(train_.size()));
      auto const held_out = factors.column(factors.validation, f);
      ds::eval::Labelled const validation{features_of(z.validation, z.dims), held_out};
      point.accuracy.push_back(ds::eval::linear_probe({features_of(z.train, z.dims), labels}, validation,
                                                      validation, {.classes = factors.levels[f]},
                                                      &context_->threads())
                                   .accuracy);
    }
    say("step " + std::to_string(step) + ": " + ds::io::format_fixed(100 * point.mean(), 2) +
        " % of validation pictures");
    return points_.emplace_back(std::move(point));
  }
  [[nodiscard]] std::vector<CurvePoint> const& points() const { return points_; }

 private:
  B::Context* context_;
  ExperimentData const* data_;
  ds::data::Dataset train_;
  double start_ = processor_seconds();
  std::vector<CurvePoint> points_;
};

}  // namespace example
