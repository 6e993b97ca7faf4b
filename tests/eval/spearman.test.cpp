#include <cmath>
#include <limits>
#include <vector>

#include <tests/support/catch.hpp>

#include <diffsiam/eval/spearman.hpp>

using namespace diffsiam;
using namespace diffsiam::eval;
using test::Approx;
using test::contains;

using Doubles = std::vector<double>;

namespace {
// Digits of pi and of e.
Doubles const pi{3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5}, e{2, 7, 1, 8, 2, 8, 1, 8, 2, 8, 4};
}  // namespace

[[nodiscard]] static std::vector<double> ranks_of(std::vector<double> const& values) {
  return average_ranks(std::span<double const>{values});
}

TEST_CASE("Equal values share the mean of their ranks") {
  // scipy.stats.rankdata(pi)
  REQUIRE(ranks_of(pi) == Doubles{4.5, 1.5, 6, 1.5, 8, 11, 3, 10, 8, 4.5, 8});
  REQUIRE(ranks_of(Doubles{7, 7, 7}) == Doubles{2, 2, 2});
  REQUIRE(ranks_of(Doubles{}).empty());
  double const infinite = std::numeric_limits<double>::infinity();
  REQUIRE(ranks_of(Doubles{infinite, 0, -infinite}) == Doubles{3, 2, 1});
}

TEST_CASE("Spearman's r sees order alone") {
  // scipy.stats.spearmanr([86, 97, ...], [2, 20, ...])[0]; by hand 1 - 6 * 194 / 990.
  REQUIRE(spearman_r(Doubles{86, 97, 99, 100, 101, 103, 106, 110, 112, 113},
                     Doubles{2, 20, 28, 27, 50, 29, 7, 17, 6, 12}) ==
          Approx(-0.17575757575757575).epsilon(1e-12));
  REQUIRE(spearman_r(Doubles{0.1, 10, 1000, -5}, Doubles{1, 2, 3, -100}) == 1);
  REQUIRE(spearman_r(Doubles{1, 2, 3}, Doubles{9, 4, -1}) == -1);
  REQUIRE(spearman_r(Doubles{1, 2, 3, 4}, Doubles{std::exp(1), std::exp(2), std::exp(3), std::exp(4)}) == 1);
}

TEST_CASE("Spearman's r with ties is that of scipy") {
  // scipy.stats.spearmanr([1, 2, 3, 4, 5], [5, 6, 7, 8, 7])[0]
  REQUIRE(spearman_r(Doubles{1, 2, 3, 4, 5}, Doubles{5, 6, 7, 8, 7}) ==
          Approx(0.8207826816681233).epsilon(1e-12));
  // scipy.stats.spearmanr(pi, e)[0]
  REQUIRE(spearman_r(pi, e) == Approx(0.1384567651467695).epsilon(1e-12));
  REQUIRE(spearman_r(pi, e) == spearman_r(e, pi));
}

TEST_CASE("Spearman's r refuses what has no order") {
  REQUIRE_THROWS_AS(spearman_r(Doubles{1, 1}, Doubles{1, 2}), RangeError);
  REQUIRE_THROWS_WITH(spearman_r(Doubles{1, 1}, Doubles{1, 2}),
                      contains("spearman_r: expected values that vary") && contains("first"));
  REQUIRE_THROWS_WITH(spearman_r(Doubles{1, 2}, Doubles{0.1, 0.1}), contains("second"));
  REQUIRE_THROWS_AS(spearman_r(Doubles{1}, Doubles{2}), RangeError);
  REQUIRE_THROWS_WITH(spearman_r(Doubles{1, 2}, Doubles{1}), contains("expected 2 values, got 1"));
  REQUIRE_THROWS_WITH(spearman_r(Doubles{}, Doubles{}), contains("at least one"));
  REQUIRE_THROWS_AS(spearman_r(Doubles{1, NAN}, Doubles{1, 2}), NumericError);
  REQUIRE_THROWS_WITH(spearman_r(Doubles{1, 2}, Doubles{1, NAN}), contains("NaN at 1"));
}
