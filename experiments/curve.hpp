// How much of the factors the features hold while an encoder learns, on validation pictures.
#pragma once

#include <algorithm>
#include <vector>

#include <diffsiam/eval/linear_probe.hpp>
#include <diffsiam/io/format_number.hpp>

#include <experiments/learner.hpp>
#include <experiments/results.hpp>
#include <experiments/support/measures.hpp>

namespace experiments {

/// The linear probe's accuracy on validation pictures, mean over factors, at the steps at which one looked;
/// from at most `most` training pictures. Test pictures are left alone.
class Curve {
 public:
  Curve(B::Context& context, ExperimentData const& data, ds::Index most = 10000)
      : context_(&context),
        data_(&data),
        train_(data.pictures.train.slice(0, std::min(most, data.pictures.train.size()))) {}

  template <class Encoder>
  Measured const& look(Encoder const& encoder, std::uint64_t step) {
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
  Measured const& add(FeatureSet const& z, std::uint64_t step) {
    double const seconds = processor_seconds() - start_;
    double sum = 0;
    FactorTable const& factors = data_->factors;
    for (std::size_t f = 0; f < factors.factors(); ++f) {
      auto labels = factors.column(factors.train, f);
      labels.resize(static_cast<std::size_t>(train_.size()));
      auto const held_out = factors.column(factors.validation, f);
      ds::eval::Labelled const validation{features_of(z.validation, z.dims), held_out};
      sum += ds::eval::linear_probe({features_of(z.train, z.dims), labels}, validation, validation,
                                    {.classes = factors.levels[f]}, &context_->threads())
                 .accuracy;
    }
    double const mean = sum / static_cast<double>(factors.factors());
    say("step " + std::to_string(step) + ": " + ds::io::format_fixed(100 * mean, 2) +
        " % of validation pictures");
    return points_.emplace_back(Measured{"probe_while_training", mean, seconds, step});
  }
  [[nodiscard]] std::vector<Measured> const& points() const { return points_; }

 private:
  B::Context* context_;
  ExperimentData const* data_;
  ds::data::Dataset train_;
  double start_ = processor_seconds();
  std::vector<Measured> points_;
};

}  // namespace experiments
