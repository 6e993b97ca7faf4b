#include <array>
#include <cmath>
#include <vector>

#include <tests/support/catch.hpp>

#include <diffsiam/eval/feature_join.hpp>

using namespace diffsiam;
using diffsiam::test::Approx;
using diffsiam::test::contains;
using eval::FeatureJoin;
using eval::Features;

TEST_CASE("joined features are centred, and each part has length 1 in the mean square") {
  // Means 2 and (1, 0); mean squared lengths of what is left: (1 + 1)/2 and (9 + 16 + 9 + 16)/2.
  std::vector<float> const a{1, 3}, b{4, 4, -2, -4};
  std::array const train{Features{a, 2, 1}, Features{b, 2, 2}};
  auto const join = FeatureJoin::fit(train);
  REQUIRE(join.dims() == 3);
  auto const joined = join(train);
  std::vector<double> const expected{-1, 0.6, 0.8, 1, -0.6, -0.8};
  REQUIRE(joined.size() == expected.size());
  for (std::size_t i = 0; i < expected.size(); ++i)
    CHECK(static_cast<double>(joined[i]) == Approx(expected[i]));

  // Other samples are joined by the means and scales of the training features.
  std::vector<float> const other_a{5}, other_b{1, 5};
  auto const other = join(std::array{Features{other_a, 1, 1}, Features{other_b, 1, 2}});
  CHECK(other == std::vector<float>{3, 0, 1});
}

TEST_CASE("a part counts as much as another one, whatever its scale and dims") {
  std::vector<float> small, large;
  for (int i = 0; i < 40; ++i) {
    small.push_back(std::sin(static_cast<float>(i)) * 1e-3F);
    for (int j = 0; j < 5; ++j) large.push_back(std::cos(static_cast<float>(i * (j + 2))) * 1e4F + 7);
  }
  std::array const train{Features{small, 40, 1}, Features{large, 40, 5}};
  auto const joined = FeatureJoin::fit(train)(train);
  double first = 0, rest = 0;
  for (std::size_t i = 0; i < joined.size(); ++i) {
    double const value = static_cast<double>(joined[i]);
    (i % 6 == 0 ? first : rest) += value * value / 40;
  }
  CHECK(first == Approx(1).epsilon(1e-5));
  CHECK(rest == Approx(1).epsilon(1e-5));
}

TEST_CASE("features that cannot be joined are refused") {
  std::vector<float> const four{1, 2, 3, 4}, same(4, 0.1F);
  Features const columns{four, 4, 1}, rows{four, 2, 2};
  REQUIRE_THROWS_WITH(FeatureJoin::fit({}), contains("one encoder or more"));
  REQUIRE_THROWS_WITH(FeatureJoin::fit(std::array{columns, rows}), contains("4 samples in each part"));
  REQUIRE_THROWS_WITH(FeatureJoin::fit(std::array{columns, Features{same, 4, 1}}),
                      contains("features that vary") && contains("part 1"));
  auto const join = FeatureJoin::fit(std::array{columns, columns});
  REQUIRE_THROWS_WITH(join(std::array{columns}), contains("2 parts, as fitted"));
  REQUIRE_THROWS_WITH(join(std::array{rows, rows}), contains("part 0 of 1 dims, as fitted"));
}
