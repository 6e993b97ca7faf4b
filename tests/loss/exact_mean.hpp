// Losses that are means over elements, on extreme rows.
#pragma once

#include <algorithm>
#include <utility>

#include <tests/loss/extreme_rows.hpp>

namespace diffsiam::test {

/// A loss that is a mean over elements, as its exact terms and their slopes.
struct ExactMean {
  Exact loss = 0;
  std::vector<Exact> slopes;

  /// term(i, j, x) is a pair of a value and a slope.
  template <class Term>
  ExactMean(Rows const& rows, Exact count, Term term) {
    ExactRows const exact = rows.exact();
    for (std::size_t i = 0; i < exact.size(); ++i)
      for (std::size_t j = 0; j < exact[i].size(); ++j) {
        auto const [value, slope] = term(i, j, exact[i][j]);
        loss += value / count;
        slopes.push_back(slope / count);
      }
  }
};

/// Values and slopes within 64 roundings of their size.
template <class B>
void check_mean(Played<B> const& played, ExactMean const& exact, Exact size) {
  using T = typename B::Scalar;
  check_near<T>(played.loss, exact.loss, 64 * rounding<T> * (std::abs(exact.loss) + size));
  for (std::size_t i = 0; i < exact.slopes.size(); ++i) {
    CAPTURE(i);
    check_near<T>(played.gradient[i], exact.slopes[i], 64 * rounding<T> * (std::abs(exact.slopes[i]) + size));
  }
}

using Term = std::pair<Exact, Exact>;

/// The greatest magnitude of a batch, at least 1.
[[nodiscard]] inline Exact greatest(Rows const& rows) {
  Exact result = 1;
  for (double x : rows.values) result = std::max(result, std::abs(static_cast<Exact>(x)));
  return result;
}

}  // namespace diffsiam::test
