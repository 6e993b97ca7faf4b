// Features that another language can make too: sines of products, as floats.
#pragma once

#include <cmath>
#include <vector>

#include <diffsiam/eval/features.hpp>

namespace diffsiam::test {

/// x[i, j] = sin(.37 (first + i + 1)(j + 1) + 1.3 j), (count, dims); in numpy
///   i, j = np.arange(first, first + count)[:, None], np.arange(dims)
///   x = np.sin(.37 * (i + 1) * (j + 1) + 1.3 * j).astype("f4")
[[nodiscard]] inline std::vector<float> waves(Index first, Index count, Index dims) {
  std::vector<float> result;
  for (Index i = first; i < first + count; ++i)
    for (Index j = 0; j < dims; ++j) {
      auto const row = static_cast<double>(i + 1), column = static_cast<double>(j);
      result.push_back(static_cast<float>(std::sin(0.37 * row * (column + 1) + 1.3 * column)));
    }
  return result;
}

}  // namespace diffsiam::test
