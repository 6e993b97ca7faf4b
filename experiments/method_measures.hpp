// Everything that is measured of a method's features.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include <diffsiam/eval/dci.hpp>
#include <diffsiam/eval/factor_vae.hpp>
#include <diffsiam/eval/knn.hpp>
#include <diffsiam/eval/linear_probe.hpp>
#include <diffsiam/eval/mig.hpp>
#include <diffsiam/eval/modularity.hpp>
#include <diffsiam/eval/sap.hpp>

#include <experiments/data_sets.hpp>
#include <experiments/results.hpp>
#include <experiments/support/measures.hpp>

namespace experiments {

/// Adds measures to a list, each with the processor seconds since the one before.
class MeasureList {
 public:
  void add(std::string name, double value) {
    double const now = processor_seconds();
    entries_.push_back({.measure = std::move(name), .value = value, .seconds = now - last_});
    last_ = now;
  }
  void add(Measured entry) { entries_.push_back(std::move(entry)); }
  /// Adds what has been computed since the measure before.
  void add_seconds(std::string name) { add(std::move(name), processor_seconds() - last_); }
  [[nodiscard]] std::vector<Measured> const& entries() const { return entries_; }

 private:
  double last_ = processor_seconds();
  std::vector<Measured> entries_;
};

/// How well each factor is read off the features, by a linear probe and by k-NN (cosine), and the means over
/// factors. Choices are made on validation pictures; test pictures are looked at once.
inline void measure_reading(MeasureList& list, FeatureSet const& z, ExperimentData const& data,
                            ds::ThreadPool& threads) {
  FactorTable const& factors = data.factors;
  auto const n = static_cast<double>(factors.factors());
  double probe = 0, validation = 0;
  std::vector<std::pair<ds::Index, double>> neighbours{{20, 0}, {200, 0}};
  for (std::size_t f = 0; f < factors.factors(); ++f) {
    auto const train = factors.column(factors.train, f), held_out = factors.column(factors.validation, f),
               test = factors.column(factors.test, f);
    ds::eval::Labelled const seen{features_of(z.train, z.dims), train},
        unseen{features_of(z.test, z.dims), test};
    auto const result = ds::eval::linear_probe(seen, {features_of(z.validation, z.dims), held_out}, unseen,
                                               {.classes = factors.levels[f]}, &threads);
    probe += result.accuracy / n;
    validation += result.validation_accuracy / n;
    if (factors.factors() > 1) list.add("linear_probe." + factors.names[f], result.accuracy);
    auto const by_k = ds::eval::knn(seen, unseen, {.k = {20, 200}, .classes = factors.levels[f]}, &threads);
    for (std::size_t i = 0; i < by_k.size(); ++i) neighbours[i].second += by_k[i].accuracy / n;
  }
  list.add("linear_probe", probe);
  list.add("linear_probe_validation", validation);
  for (auto const& [k, accuracy] : neighbours) list.add("knn_" + std::to_string(k), accuracy);
}

[[nodiscard]] inline ds::eval::Factored factored(std::vector<float> const& values, ds::Index dims,
                                                 std::vector<int> const& levels, FactorTable const& factors) {
  ds::eval::Features const features = features_of(values, dims);
  return {features, {levels, features.count, static_cast<int>(factors.factors())}};
}

/// How far the features come apart by factors: per dim, and, where z has several subsets, per subset.
inline void measure_disentanglement(MeasureList& list, FeatureSet const& z,
                                    ds::eval::DimGroups const& subsets, ExperimentData const& data,
                                    ds::ThreadPool& threads) {
  namespace eval = ds::eval;
  FactorTable const& factors = data.factors;
  eval::Factored const train = factored(z.train, z.dims, factors.train, factors),
                       test = factored(z.test, z.dims, factors.test, factors);
  auto const add = [&](std::string const& prefix, eval::DimGroups const& groups, eval::MigResult const& mig) {
    auto const dci = eval::dci(train, test, groups, {}, &threads);
    list.add(prefix + "dci_disentanglement", dci.scores.disentanglement);
    list.add(prefix + "dci_completeness", dci.scores.completeness);
    list.add(prefix + "dci_informativeness", dci.informativeness);
    list.add(prefix + "mig", mig.score);
    list.add(prefix + "modularity", eval::modularity(mig.information).score);
    list.add(prefix + "sap", eval::sap(train, test, groups, &threads).score);
    list.add(prefix + "factor_vae", eval::factor_vae(train, test, groups, {}, &threads).score);
  };
  add("", eval::DimGroups::each(z.dims), eval::mig(test, 20, &threads));
  if (subsets.count() > 1) add("subset.", subsets, eval::group_mig(train, test, subsets, &threads));
}

}  // namespace experiments
