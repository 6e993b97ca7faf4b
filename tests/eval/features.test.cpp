#include <cmath>

#include <tests/eval/blobs.hpp>
#include <tests/support/catch.hpp>

#include <diffsiam/eval/standardise.hpp>

using namespace diffsiam;
using namespace diffsiam::eval;
using test::contains;

TEST_CASE("standardisation uses the training mean and deviation, and silences constant dimensions") {
  std::vector<float> const train{1, 10, 7, 3, 10, 7, 5, 40, 7};
  Standardiser const standardiser = Standardiser::fit({train, 3, 3});
  std::vector<float> const z = standardiser({train, 3, 3});
  REQUIRE(z[0] == test::Approx(-std::sqrt(1.5)));
  REQUIRE(z[3] == test::Approx(0).margin(1e-6));
  REQUIRE(z[7] == test::Approx(std::sqrt(2.0)));
  std::vector<float> const other{3, 20, 9};
  std::vector<float> const seen = standardiser({other, 1, 3});
  REQUIRE(seen[0] == test::Approx(0).margin(1e-6));
  REQUIRE(seen[1] == test::Approx(0).margin(1e-6));
  REQUIRE(seen[2] == 0);
  REQUIRE_THROWS_WITH(standardiser({other, 3, 1}), contains("3 dims") && contains("got 1"));
}

TEST_CASE("features that are not what they say are refused") {
  std::vector<float> values{1, 2, 3, 4, 5, 6};
  REQUIRE_NOTHROW(require_features("probe", {values, 3, 2}));
  REQUIRE_THROWS_WITH(require_features("probe", {values, 4, 2}),
                      contains("probe: expected") && contains("6 values for (4, 2)"));
  REQUIRE_THROWS_AS(require_features("probe", {values, 0, 2}), ShapeError);
  REQUIRE_THROWS_AS(require_features("probe", {values, 6, 0}), ShapeError);
  for (float const bad : {NAN, INFINITY}) {
    values[3] = bad;
    REQUIRE_THROWS_AS(require_features("probe", {values, 3, 2}), NumericError);
    REQUIRE_THROWS_WITH(require_features("probe", {values, 3, 2}), contains("dimension 1 of sample 1"));
  }
}

TEST_CASE("labels that do not fit are refused") {
  std::vector<float> const values{1, 2, 3, 4};
  auto const check = [&](std::vector<int> const& labels) {
    require_labelled("probe", {{values, 4, 1}, labels}, 3);
  };
  REQUIRE_NOTHROW(check({0, 1, 2, 0}));
  REQUIRE_THROWS_WITH(check({0, 1}), contains("expected 4 labels") && contains("got 2"));
  REQUIRE_THROWS_WITH(check({0, 1, 3, 0}), contains("[0, 3)") && contains("3 of sample 2"));
  REQUIRE_THROWS_AS(check({0, -1, 2, 0}), RangeError);
  REQUIRE_THROWS_WITH(resolve_classes("probe", 0, std::vector<int>{2, 2}),
                      contains("two classes") && contains("only 2"));
  REQUIRE_THROWS_AS(resolve_classes("probe", 5, std::vector<int>{}), RangeError);
  REQUIRE(resolve_classes("probe", 0, std::vector<int>{2, 4, 1}) == 5);
  REQUIRE(resolve_classes("probe", 9, std::vector<int>{2, 4, 1}) == 9);
}
