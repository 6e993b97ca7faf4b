// Everything that is measured of a method's features.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include <diffsiam/eval/dci.hpp>
#include <diffsiam/eval/factor_vae.hpp>
#include <diffsiam/eval/few_label_probe.hpp>
#include <diffsiam/eval/knn.hpp>
#include <diffsiam/eval/linear_probe.hpp>
#include <diffsiam/eval/mig.hpp>
#include <diffsiam/eval/modularity.hpp>
#include <diffsiam/eval/multilabel_probe.hpp>
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

/// How well each factor is read off the features, by a linear probe, also with few labels, and by k-NN
/// (cosine), and the means over factors. Choices are made on validation pictures; test pictures are looked at
/// once.
inline void measure_reading(MeasureList& list, FeatureSet const& z, ExperimentData const& data,
                            ds::ThreadPool& threads) {
  FactorTable const& factors = data.factors;
  auto const n = static_cast<double>(factors.factors());
  double probe = 0, validation = 0;
  std::vector<std::pair<ds::Index, double>> neighbours{{20, 0}, {200, 0}};
  std::vector<std::pair<int, double>> few_labels{{1, 0}, {10, 0}};  // in per cent
  for (std::size_t f = 0; f < factors.factors(); ++f) {
    auto const train = factors.column(factors.train, f), held_out = factors.column(factors.validation, f),
               test = factors.column(factors.test, f);
    ds::eval::Labelled const seen{features_of(z.train, z.dims), train},
        chosen_by{features_of(z.validation, z.dims), held_out}, unseen{features_of(z.test, z.dims), test};
    ds::eval::LinearProbeConfig const config{.classes = factors.levels[f]};
    auto const result = ds::eval::linear_probe(seen, chosen_by, unseen, config, &threads);
    probe += result.accuracy / n;
    validation += result.validation_accuracy / n;
    if (factors.factors() > 1) list.add("linear_probe." + factors.names[f], result.accuracy);
    auto const by_k = ds::eval::knn(seen, unseen, {.k = {20, 200}, .classes = factors.levels[f]}, &threads);
    for (std::size_t i = 0; i < by_k.size(); ++i) neighbours[i].second += by_k[i].accuracy / n;
    // The same labels for every method and seed of training.
    for (auto& [percent, accuracy] : few_labels)
      accuracy += ds::eval::few_label_probe(seen, chosen_by, unseen,
                                            {.share = percent / 100.0,
                                             .rng = {.stream = static_cast<std::uint32_t>(1000 * percent)},
                                             .probe = config},
                                            &threads)
                      .accuracy /
                  n;
  }
  list.add("linear_probe", probe);
  list.add("linear_probe_validation", validation);
  for (auto const& [k, accuracy] : neighbours) list.add("knn_" + std::to_string(k), accuracy);
  for (auto const& [percent, accuracy] : few_labels)
    list.add("linear_probe_" + std::to_string(percent) + "_percent", accuracy);
}

/// How well all binary attributes are told by linear probes, as published on pictures of faces.
inline void measure_attributes(MeasureList& list, FeatureSet const& z, ExperimentData const& data,
                               ds::ThreadPool& threads) {
  std::vector<Attribute> const attributes = data.factors.attributes();
  auto const positive = [&](std::vector<int> const& values) {
    return attributes_of(values, data.factors.factors(), attributes);
  };
  auto const train = positive(data.factors.train), validation = positive(data.factors.validation),
             test = positive(data.factors.test);
  auto const count = static_cast<ds::Index>(attributes.size());
  auto const result = ds::eval::multilabel_probe({features_of(z.train, z.dims), train, count},
                                                 {features_of(z.validation, z.dims), validation, count},
                                                 {features_of(z.test, z.dims), test, count}, {}, &threads);
  list.add("mean_average_precision", result.mean_average_precision);
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
