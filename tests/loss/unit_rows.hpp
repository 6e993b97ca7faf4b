// Rows brought to length 1, and gradients by them.
#pragma once

#include <utility>

#include <tests/loss/extreme_rows.hpp>

namespace diffsiam::test {

[[nodiscard]] inline Exact dot(std::vector<Exact> const& a, std::vector<Exact> const& b) {
  Exact sum = 0;
  for (std::size_t j = 0; j < a.size(); ++j) sum += a[j] * b[j];
  return sum;
}

/// Rows of length 1, and their inverse lengths; rows of zeros stay zeros.
struct Unit {
  ExactRows rows;
  std::vector<Exact> inverse;

  explicit Unit(ExactRows of) : rows(std::move(of)) {
    for (auto& row : rows) {
      Exact const length = std::sqrt(dot(row, row));
      inverse.push_back(length > 0 ? 1 / length : 0);
      for (Exact& x : row) x *= inverse.back();
    }
  }
  /// From the gradient of row i to that before the division by its length, times that length.
  [[nodiscard]] std::vector<Exact> back(std::size_t i, std::vector<Exact> gradient) const {
    Exact const inner = dot(gradient, rows[i]);
    for (std::size_t j = 0; j < gradient.size(); ++j)
      gradient[j] = inverse[i] > 0 ? gradient[j] - rows[i][j] * inner : 0;
    return gradient;
  }
};

/// The gradient of row i, in units of the row's inverse length, is `exact` within `bound`. That of zeros is
/// 0.
template <class T>
void check_row_gradient(std::vector<double> const& gradient, std::size_t i, Unit const& unit,
                        std::vector<Exact> const& exact, Exact bound) {
  for (std::size_t j = 0; j < exact.size(); ++j) {
    CAPTURE(i, j);
    double const actual = gradient[i * exact.size() + j];
    CHECK(std::isfinite(actual));
    Exact const length = unit.inverse[i] > 0 ? 1 / unit.inverse[i] : 1;
    check_near<T>(static_cast<double>(static_cast<Exact>(actual) * length), exact[j],
                  unit.inverse[i] > 0 ? bound : 0);
  }
}

}  // namespace diffsiam::test
