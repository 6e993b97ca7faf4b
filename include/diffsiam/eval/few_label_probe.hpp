// Linear probe with few labels: the accuracy that a share of the labels is enough for. The labels of training
// and of validation data are cut to the same share (stratified_draw.hpp), because a choice by many labels
// would make few look better than they are. The accuracy is on all test data, and its mean over several draws
// is given.
#pragma once

#include <numeric>
#include <span>
#include <vector>

#include <diffsiam/core/error.hpp>
#include <diffsiam/core/philox.hpp>
#include <diffsiam/eval/features.hpp>
#include <diffsiam/eval/linear_probe.hpp>
#include <diffsiam/eval/stratified_draw.hpp>

namespace diffsiam::eval {

/// Settings of few_label_probe().
struct FewLabelProbeConfig {
  double share = 0.01;        ///< of the labels of each class, in (0, 1]
  int draws = 5;              ///< how often labels are drawn, at least 1
  Rng rng{};                  ///< the draws use its stream and those that follow it, two for each draw
  LinearProbeConfig probe{};  ///< of each probe
};

/// The result of few_label_probe().
struct FewLabelProbeResult {
  double accuracy = 0;               ///< on test data, in [0, 1]; the mean over the draws
  std::vector<double> accuracies{};  ///< of each draw
  Index labels = 0;                  ///< training labels of a draw
};

namespace detail {

/// Copies of some samples.
struct DrawnSamples {
  std::vector<float> values;
  std::vector<int> labels;

  DrawnSamples(Labelled const& all, std::span<Index const> chosen) {
    for (Index const i : chosen) {
      values.insert(values.end(), all.features.row(i), all.features.row(i) + all.features.dims);
      labels.push_back(all.labels[static_cast<std::size_t>(i)]);
    }
  }
  [[nodiscard]] Labelled labelled(Index dims) const {
    return {{values, static_cast<Index>(labels.size()), dims}, labels};
  }
};

}  // namespace detail

/// Throws what linear_probe() throws, RangeError for a share out of range, and ConfigError for less than one
/// draw. `pool` may be null.
[[nodiscard]] inline FewLabelProbeResult few_label_probe(Labelled const& train, Labelled const& validation,
                                                         Labelled const& test,
                                                         FewLabelProbeConfig const& config = {},
                                                         ThreadPool* pool = nullptr) {
  if (config.draws < 1) fail<ConfigError>("few_label_probe", "at least one draw", config.draws);
  LinearProbeConfig probe = config.probe;
  probe.classes = resolve_classes("few_label_probe", probe.classes, train.labels);
  for (Labelled const* const part : {&train, &validation})
    require_labelled("few_label_probe", *part, probe.classes);

  FewLabelProbeResult result;
  Rng rng = config.rng;
  auto const drawn_from = [&](Labelled const& part) {
    auto const chosen = stratified_draw(part.labels, config.share, rng);
    rng = rng.with_stream(rng.stream + 1);
    return detail::DrawnSamples{part, chosen};
  };
  for (int draw = 0; draw < config.draws; ++draw) {
    auto const seen = drawn_from(train), held_out = drawn_from(validation);
    result.labels = static_cast<Index>(seen.labels.size());
    result.accuracies.push_back(linear_probe(seen.labelled(train.features.dims),
                                             held_out.labelled(validation.features.dims), test, probe, pool)
                                    .accuracy);
  }
  result.accuracy = std::accumulate(result.accuracies.begin(), result.accuracies.end(), 0.0) / config.draws;
  return result;
}

}  // namespace diffsiam::eval
