#include <cmath>
#include <limits>

#include <tests/support/catch.hpp>

#include <diffsiam/eval/metrics.hpp>

using namespace diffsiam;
using namespace diffsiam::eval;
using test::Approx;
using test::contains;

using Ints = std::vector<int>;
using Floats = std::vector<float>;

TEST_CASE("accuracy counts what is right, of all and of each class") {
  REQUIRE(accuracy(Ints{1, 2, 0, 1}, Ints{1, 2, 2, 0}) == 0.5);
  std::vector<double> const each = accuracy_per_class(Ints{1, 2, 0, 1}, Ints{1, 2, 2, 0}, 4);
  REQUIRE(each[0] == 0);
  REQUIRE(each[1] == 1);
  REQUIRE(each[2] == 0.5);
  REQUIRE(std::isnan(each[3]));
  REQUIRE_THROWS_WITH(accuracy(Ints{1}, Ints{1, 2}), contains("accuracy: expected 2 values, got 1"));
  REQUIRE_THROWS_WITH(accuracy(Ints{}, Ints{}), contains("at least one"));
  REQUIRE_THROWS_AS(accuracy_per_class(Ints{0}, Ints{4}, 4), RangeError);
}

TEST_CASE("average precision sums precision over the recall gained") {
  // Ranks of the positives: 1, 3, 4: (1/1 + 2/3 + 3/4) / 3.
  REQUIRE(average_precision(Floats{0.9F, 0.8F, 0.7F, 0.6F, 0.5F}, Ints{1, 0, 1, 1, 0}) ==
          Approx((1 + 2.0 / 3 + 0.75) / 3));
  // The example of scikit-learn's documentation.
  REQUIRE(average_precision(Floats{0.1F, 0.4F, 0.35F, 0.8F}, Ints{0, 0, 1, 1}) == Approx(0.8333333));
  // Equal scores count together, in whatever order they stand.
  REQUIRE(average_precision(Floats{1, 1, 1, 1}, Ints{1, 0, 0, 0}) == Approx(0.25));
  REQUIRE(average_precision(Floats{1, 1, 1, 1}, Ints{0, 0, 0, 1}) == Approx(0.25));
  REQUIRE(mean_average_precision(Floats{2, 1, 1, 2}, Ints{1, 1, 0, 0}, 2) == Approx((1 + 0.5) / 2));
  REQUIRE_THROWS_WITH(average_precision(Floats{1}, Ints{0}), contains("at least one positive"));
  REQUIRE_THROWS_WITH(average_precision(Floats{1}, Ints{2}), contains("0 or 1") && contains("2 of sample 0"));
  REQUIRE_THROWS_AS(average_precision(Floats{NAN}, Ints{1}), NumericError);
  REQUIRE_THROWS_AS(mean_average_precision(Floats{1, 2, 3}, Ints{1, 1, 1}, 2), ShapeError);
}

TEST_CASE("Squared error and PSNR by hand") {
  REQUIRE(mean_squared_error(Floats{0, 1}, Floats{0.5F, 0.5F}) == Approx(0.25));
  REQUIRE(psnr(Floats{0, 1}, Floats{0.1F, 0.9F}) == Approx(20).margin(1e-4));
  REQUIRE(psnr(Floats{0, 1}, Floats{0.1F, 0.9F}, 2) == Approx(20 + 20 * std::log10(2.0)).margin(1e-4));
  REQUIRE(psnr(Floats{0, 1}, Floats{0, 1}) == std::numeric_limits<double>::infinity());
  REQUIRE_THROWS_AS(psnr(Floats{0}, Floats{0}, 0), RangeError);
}

TEST_CASE("Scores refuse NaN and infinity") {
  float const infinite = std::numeric_limits<float>::infinity();
  REQUIRE_THROWS_AS(mean_squared_error(Floats{NAN}, Floats{0}), NumericError);
  REQUIRE_THROWS_AS(psnr(Floats{infinite}, Floats{0}), NumericError);
  REQUIRE_THROWS_AS(psnr(Floats{1}, Floats{0}, static_cast<double>(infinite)), RangeError);
}
