// Rows at the ends of what a scalar holds, and what a loss of them is compared with: the same formula in long
// double, whose range is that of neither float nor double.
#pragma once

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include <tests/support/catch.hpp>

#include <diffsiam/testing/draw.hpp>
#include <diffsiam/value/taped.hpp>

namespace diffsiam::test {

using Exact = long double;
using ExactRows = std::vector<std::vector<Exact>>;

/// A batch of rows (n, d), each value exact in the scalar that it was made for.
struct Rows {
  std::string name;
  Index d;
  std::vector<double> values;

  [[nodiscard]] Index n() const { return static_cast<Index>(values.size()) / d; }
  [[nodiscard]] ExactRows exact() const {
    ExactRows rows;
    for (auto from = values.begin(); from != values.end(); from += d) rows.emplace_back(from, from + d);
    return rows;
  }
  template <class B>
  [[nodiscard]] Tensor<B> tensor(typename B::Context& context) const {
    return Tensor<B>::from(context, {n(), d}, std::span<double const>(values));
  }
};

/// Squares of numbers of this magnitude leave the range of T; the numbers and their inverses do not.
template <class T>
inline constexpr double huge = sizeof(T) == 4 ? 1e22 : 1e200;

/// Batches of six rows of eight values; `stream` draws others.
template <class T>
[[nodiscard]] std::vector<Rows> extreme_rows(std::uint32_t stream) {
  constexpr Index n = 6, d = 8;
  auto const drawn = testing::draw(testing::Kind::normal, {n, d}, {.seed = 7, .stream = stream});
  auto const rows = [&](std::string name, auto value) {
    Rows result{std::move(name), d, {}};
    for (Index i = 0; i < n; ++i)
      for (Index j = 0; j < d; ++j)
        result.values.push_back(
            static_cast<double>(static_cast<T>(value(i, j, drawn[static_cast<std::size_t>(i * d + j)]))));
    return result;
  };
  double const of_row[] = {huge<T>, 1 / huge<T>, 1, 0, huge<T>, 1e-5};
  return {rows("drawn", [](Index, Index, double x) { return x; }),
          rows("zeros", [](Index, Index, double) { return 0.0; }),
          rows("a row of zeros", [](Index i, Index, double x) { return i == 1 ? 0 : x; }),
          rows("duplicates", [&](Index, Index j, double) { return drawn[static_cast<std::size_t>(j)]; }),
          rows("tiny", [](Index, Index, double x) { return x / huge<T>; }),
          rows("huge", [](Index, Index, double x) { return x * huge<T>; }),
          rows("of all magnitudes", [&](Index i, Index, double x) { return x * of_row[i]; }),
          rows("one-hot", [](Index i, Index j, double) { return i == j ? 1.0 : 0.0; })};
}

/// A value of T is the exact one within `bound`. Where the exact one is beyond the range of T it is infinity.
template <class T>
void check_near(double actual, Exact exact, Exact bound) {
  INFO("is " << actual << ", exact " << static_cast<double>(exact) << " within "
             << static_cast<double>(bound));
  if (std::abs(exact) > static_cast<Exact>(std::numeric_limits<T>::max())) {
    CHECK(std::isinf(actual));
    CHECK(std::signbit(actual) == std::signbit(exact));
  } else {
    CHECK(std::isfinite(actual));
    CHECK(std::abs(static_cast<Exact>(actual) - exact) <= bound);
  }
}

/// Rounding of T: what bounds are stated in.
template <class T>
inline constexpr Exact rounding = std::numeric_limits<T>::epsilon();

/// A loss and its gradient, from what `f` makes of a variable.
template <class B>
struct Played {
  double loss = 0;
  std::vector<double> gradient;

  template <class F>
  Played(typename B::Context& context, Tensor<B> const& x, F const& f) {
    Tape<B> tape{context};
    auto const variable = tape.variable(x);
    auto const y = f(variable);
    loss = static_cast<double>(y.value().item());
    tape.backward(y);
    gradient = variable.gradient().template values<double>();
  }
};

}  // namespace diffsiam::test
