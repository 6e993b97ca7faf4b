// best_two: the two largest of some scores. Measures of whether only one part of a code knows a factor use
// the gap between them. For the headers of eval/ only.
#pragma once

#include <algorithm>
#include <limits>

#include <Eigen/Core>

#include <diffsiam/core/shape.hpp>

namespace diffsiam::eval::detail {

struct BestTwo {
  Index index = 0;  ///< of the best; the first one if several are equal
  double best = 0, second = 0;

  [[nodiscard]] double gap() const { return best - second; }
};

/// Needs at least one score. `floor` is the score of knowing nothing, and the second one if there is only one
/// score.
[[nodiscard]] inline BestTwo best_two(Eigen::VectorXd const& scores, double floor) {
  constexpr double none = -std::numeric_limits<double>::infinity();
  BestTwo result{.index = 0, .best = scores[0], .second = scores.size() > 1 ? none : floor};
  for (Index i = 1; i < scores.size(); ++i)
    if (scores[i] > result.best)
      result = {.index = i, .best = scores[i], .second = result.best};
    else
      result.second = std::max(result.second, scores[i]);
  return result;
}

}  // namespace diffsiam::eval::detail
