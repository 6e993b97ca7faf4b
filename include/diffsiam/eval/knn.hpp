// k-nearest-neighbour classification by cosine similarity. By default a neighbour with similarity s has the
// vote exp(s / tau) (Wu et al., arXiv 1805.01978, tau = .07); alternatively each neighbour has one vote.
#pragma once

#include <algorithm>
#include <cmath>
#include <span>
#include <string>
#include <vector>

#include <diffsiam/core/error.hpp>
#include <diffsiam/eval/features.hpp>
#include <diffsiam/eval/metrics.hpp>
#include <diffsiam/eval/nearest.hpp>

namespace diffsiam::eval {

/// Whether neighbours vote with exp(similarity / temperature), or with one vote each.
enum class Vote { weighted, majority };

/// Settings of knn(). There is one result for each k.
struct KnnConfig {
  std::vector<Index> k{20, 200};  ///< numbers of neighbours, each at least 1
  Vote vote = Vote::weighted;     ///< of each neighbour
  double temperature = 0.07;      ///< tau of Vote::weighted, above 0
  int classes = 0;                ///< 0 means the largest training label + 1
};

/// The result for one k.
struct KnnResult {
  Index k = 0;                      ///< number of neighbours
  double accuracy = 0;              ///< in [0, 1]
  std::vector<double> per_class{};  ///< NaN for a class without test samples
  std::vector<int> predictions{};   ///< for each test sample
};

/// The class with the most votes among `neighbours`; if several are equal, the one with the nearest
/// neighbour. `votes` has one element for each class. Throws RangeError if there are no neighbours, if one
/// has no label, or if a label is not below votes.size().
[[nodiscard]] inline int vote(std::span<Neighbour const> neighbours, std::span<int const> labels,
                              KnnConfig const& config, std::span<double> votes) {
  std::fill(votes.begin(), votes.end(), 0.0);
  if (neighbours.empty()) fail<RangeError>("vote", "at least one neighbour", "none");
  for (Neighbour const& n : neighbours)
    if (n.index < 0 || n.index >= static_cast<Index>(labels.size()) ||
        static_cast<std::size_t>(labels[static_cast<std::size_t>(n.index)]) >= votes.size())
      fail<RangeError>("vote", {"neighbours among ", labels.size(), " labels in [0, ", votes.size(), ")"},
                       {"index ", n.index});
  auto const label_of = [&](Neighbour const& n) { return labels[static_cast<std::size_t>(n.index)]; };
  for (Neighbour const& n : neighbours)
    // Relative to the largest similarity, so that nothing overflows at any temperature.
    votes[static_cast<std::size_t>(label_of(n))] +=
        config.vote == Vote::majority ? 1.0
                                      : std::exp((static_cast<double>(n.similarity) -
                                                  static_cast<double>(neighbours.front().similarity)) /
                                                 config.temperature);
  int best = label_of(neighbours.front());
  for (Neighbour const& n : neighbours)
    if (votes[static_cast<std::size_t>(label_of(n))] > votes[static_cast<std::size_t>(best)])
      best = label_of(n);
  return best;
}

/// One result for each k, in the order of config.k. Throws ConfigError if there is no k or if the temperature
/// is not above 0, RangeError for a k above the number of training samples and labels out of range,
/// ShapeError and NumericError as require_labelled. `pool` may be null.
[[nodiscard]] inline std::vector<KnnResult> knn(Labelled const& train, Labelled const& test,
                                                KnnConfig const& config = {}, ThreadPool* pool = nullptr) {
  if (config.k.empty()) fail<ConfigError>("knn", "at least one k", "none");
  if (!(config.temperature > 0) || std::isinf(config.temperature))
    fail<ConfigError>("knn", "a temperature above 0", config.temperature);
  int const classes = resolve_classes("knn", config.classes, train.labels);
  require_labelled("knn", train, classes);
  require_labelled("knn", test, classes);
  for (Index const k : config.k)
    if (k < 1 || k > train.features.count)
      fail<RangeError>("knn", "k in [1, " + std::to_string(train.features.count) + "]", k);
  Index const most = *std::max_element(config.k.begin(), config.k.end());
  Neighbours const neighbours = nearest_neighbours(train.features, test.features, most, pool);

  std::vector<KnnResult> results;
  std::vector<double> votes(static_cast<std::size_t>(classes));
  for (Index const k : config.k) {
    KnnResult result{.k = k};
    for (Index i = 0; i < test.features.count; ++i)
      result.predictions.push_back(
          vote(neighbours.of(i).first(static_cast<std::size_t>(k)), train.labels, config, votes));
    result.accuracy = accuracy(result.predictions, test.labels);
    result.per_class = accuracy_per_class(result.predictions, test.labels, classes);
    results.push_back(std::move(result));
  }
  return results;
}

}  // namespace diffsiam::eval
