// Rand index (Rand, 1971): the share of pairs of samples on which two groupings agree, that is, which both
// put into one group or both put into two.
#pragma once

#include <span>

#include <diffsiam/core/error.hpp>
#include <diffsiam/core/shape.hpp>

namespace diffsiam::eval {

/// In [0, 1]; 1 for groupings that differ in names alone. `a` and `b` hold one group a sample. Throws
/// ShapeError for lists of two lengths or of less than two samples.
[[nodiscard]] inline double rand_index(std::span<int const> a, std::span<int const> b) {
  if (a.size() != b.size() || a.size() < 2)
    fail<ShapeError>("rand_index", "two lists of one length, 2 or more",
                     {static_cast<Index>(a.size()), " and ", static_cast<Index>(b.size())});
  double agreed = 0;
  for (std::size_t i = 0; i < a.size(); ++i)
    for (std::size_t j = 0; j < i; ++j) agreed += (a[i] == a[j]) == (b[i] == b[j]) ? 1 : 0;
  auto const n = static_cast<double>(a.size());
  return agreed / (n * (n - 1) / 2);
}

}  // namespace diffsiam::eval
