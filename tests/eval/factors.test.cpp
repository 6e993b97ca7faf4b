#include <cmath>

#include <tests/eval/codes.hpp>
#include <tests/support/catch.hpp>

#include <diffsiam/eval/best_two.hpp>
#include <diffsiam/eval/dim_groups.hpp>

using namespace diffsiam;
using namespace diffsiam::eval;
using test::contains;

TEST_CASE("factors are checked, and what is wrong is named") {
  std::vector<float> const code(6, 1.0F);
  Features const features{code, 3, 2};
  auto const check = [&](std::vector<int> const& values, Index count, int factors) {
    require_factored("measure", {features, {values, count, factors}});
  };
  check({0, 5, 1, 4, 0, 5}, 3, 2);
  REQUIRE_THROWS_WITH(
      check({0, 1, 1, 1, 0, 1}, 3, 2),
      contains("measure: expected at least two levels of factor 1") && contains("only level 1"));
  REQUIRE_THROWS_AS(check({0, 1, 1, 1, 0, 1}, 3, 2), RangeError);
  REQUIRE_THROWS_WITH(check({0, 1, 1, -1, 0, 1}, 3, 2),
                      contains("levels in [0, 4096)") && contains("-1 of factor 1 in sample 1"));
  REQUIRE_THROWS_AS(check({0, 1, 1, most_levels, 0, 1}, 3, 2), RangeError);
  REQUIRE_THROWS_WITH(check({0, 1, 1, 0}, 2, 2),
                      contains("factors (3, 1 or more)") && contains("4 values for (2, 2)"));
  REQUIRE_THROWS_AS(check({0, 1, 1, 0}, 3, 2), ShapeError);
  REQUIRE_THROWS_AS(check({}, 3, 0), ShapeError);
  std::vector<float> broken = code;
  broken[3] = NAN;
  REQUIRE_THROWS_AS(require_factored("measure", {{broken, 3, 2}, {std::vector<int>{0, 1, 0}, 3, 1}}),
                    NumericError);
}

TEST_CASE("training and test samples must be of one kind") {
  test::LevelGrid const a = test::perfect({2, 2}, 1, 2), wide = test::perfect({2, 2}, 1, 3),
                        more = test::perfect({2, 2, 2}, 1, 2);
  require_factored("measure", a.factored(), a.factored());
  REQUIRE_THROWS_WITH(require_factored("measure", a.factored(), wide.factored()),
                      contains("2 dims, as the training features, got 3"));
  REQUIRE_THROWS_WITH(require_factored("measure", a.factored(), more.factored()),
                      contains("2 factors, as the training samples, got 3"));
}

TEST_CASE("groups of dims cover the code, ascending") {
  DimGroups const each = DimGroups::each(3), parts{{1, 4, 6}};
  REQUIRE(each.ends == std::vector<Index>{1, 2, 3});
  REQUIRE(parts.count() == 3);
  REQUIRE(parts.begin(1) == 1);
  REQUIRE(parts.size(1) == 3);
  require_groups("measure", parts, 6);
  REQUIRE_THROWS_WITH(require_groups("measure", parts, 7), contains("end at 7") && contains("got 6"));
  REQUIRE_THROWS_WITH(require_groups("measure", {{2, 2, 6}}, 6), contains("ascend") && contains("2 after 2"));
  REQUIRE_THROWS_AS(require_groups("measure", {{0, 6}}, 6), ConfigError);
  REQUIRE_THROWS_AS(require_groups("measure", {}, 6), ConfigError);
}

TEST_CASE("the two greatest, with a floor for one that is alone") {
  diffsiam::eval::detail::BestTwo const top =
      diffsiam::eval::detail::best_two(Eigen::Vector4d{0.5, 0.25, 1, 0.75}, 0);
  REQUIRE(top.index == 2);
  REQUIRE(top.gap() == 0.25);
  REQUIRE(diffsiam::eval::detail::best_two(Eigen::Vector3d{1, 1, 0}, 0).gap() == 0);
  REQUIRE(diffsiam::eval::detail::best_two(Eigen::Vector2d{0.125, -1}, 0).second == -1);
  REQUIRE(diffsiam::eval::detail::best_two(Eigen::VectorXd::Constant(1, 0.75), 0.5).gap() == 0.25);
}
