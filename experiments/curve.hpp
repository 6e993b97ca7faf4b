// How much of the factors the features hold while an encoder learns, on validation pictures.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <diffsiam/eval/probe_curve.hpp>
#include <diffsiam/io/format_number.hpp>

#include <experiments/learner.hpp>
#include <experiments/results.hpp>
#include <experiments/support/measures.hpp>

namespace experiments {

/// A ds::eval::ProbeCurve with the factors of the data set as its tasks, whose points are measures.
class Curve {
 public:
  /// `run` must outlive this.
  explicit Curve(Run const& run)
      : run_(&run),
        curve_(run.data->pictures.train, run.data->pictures.validation,
               {.tasks = tasks_of(run.data->factors)}) {}

  template <class Encoder>
  Measured const& look(Encoder const& encoder, std::uint64_t step) {
    return add(features(encoder), step);
  }
  /// Those of the first training pictures, and of all validation pictures.
  template <class Encoder>
  [[nodiscard]] FeatureSet features(Encoder const& encoder) const {
    return {encoder.latent_dims(),
            ds::eval::encode(*run_->context, encoder, curve_.train(), encoding_of(*run_)),
            ds::eval::encode(*run_->context, encoder, curve_.validation(), encoding_of(*run_)),
            {}};
  }
  /// Looks at such features at hand.
  Measured const& add(FeatureSet const& z, std::uint64_t step) {
    double const seconds = processor_seconds() - start_;
    auto const [at, accuracy] = curve_.add(features_of(z.train, z.dims), features_of(z.validation, z.dims),
                                           step, &run_->context->threads());
    say("step " + std::to_string(at) + ": " + ds::io::format_fixed(100 * accuracy, 2) +
        " % of validation pictures");
    return points_.emplace_back(Measured{"probe_while_training", accuracy, seconds, at});
  }
  [[nodiscard]] std::vector<Measured> const& points() const { return points_; }

 private:
  static std::vector<ds::eval::ProbeTask> tasks_of(FactorTable const& factors) {
    std::vector<ds::eval::ProbeTask> tasks;
    for (std::size_t f = 0; f < factors.factors(); ++f)
      tasks.push_back(
          {factors.column(factors.train, f), factors.column(factors.validation, f), factors.levels[f]});
    return tasks;
  }

  Run const* run_;
  ds::eval::ProbeCurve curve_;
  double start_ = processor_seconds();
  std::vector<Measured> points_;
};

}  // namespace experiments
