// The two greatest of some scores. Measures of how alone a factor stands in a code are gaps between them. An
// inside of eval/.
#pragma once

#include <algorithm>
#include <limits>

#include <Eigen/Core>

#include <diffsiam/core/shape.hpp>

namespace diffsiam::eval::detail {

struct BestTwo {
  Index index = 0;  ///< of the best; of equals the first
  double best = 0, second = 0;

  [[nodiscard]] double gap() const { return best - second; }
};

/// Of at least one score. `floor` is what scores nothing: the second where there is one score only.
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
