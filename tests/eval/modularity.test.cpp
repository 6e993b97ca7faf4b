#include <cmath>

#include <tests/eval/codes.hpp>
#include <tests/support/catch.hpp>

#include <diffsiam/eval/modularity.hpp>
#include <diffsiam/eval/mutual_information.hpp>

using namespace diffsiam;
using namespace diffsiam::eval;
using test::Approx;
using test::contains;

TEST_CASE("modularity by hand: alone 1, shared by all 0, nothing 0") {
  Eigen::MatrixXd information(4, 3);
  information << 2, 0, 0, 2, 1, 0, 3, 3, 3, 0, 0, 0;
  ModularityResult const result = modularity(information);
  REQUIRE(result.per_part == std::vector<double>{1, 1 - 1.0 / 8, 0, 0});
  REQUIRE(result.score == Approx((1 + 0.875) / 4));
  REQUIRE(modularity(1e-200 * information).per_part == result.per_part);
  REQUIRE(modularity(Eigen::MatrixXd::Ones(2, 1)).score == 1);
}

TEST_CASE("modularity of known codes") {
  auto const of = [](test::LevelGrid const& grid) {
    return modularity(information_matrix(grid.factored())).score;
  };
  REQUIRE(of(test::perfect({2, 3, 5}, 2, 3)) == Approx(1));
  // A factor stored twice is no less modular.
  REQUIRE(of({{3, 4}, 3, 3, [](int const* level, Index, Index j) {
                return static_cast<float>(level[j / 2]);
              }}) == Approx(1));
  REQUIRE(of(test::rotated(4, 2)) == Approx(0).margin(1e-12));
  REQUIRE(of(test::constant({2, 3}, 2, 3)) == 0);
}

TEST_CASE("modularity refuses what is no information") {
  REQUIRE_THROWS_WITH(modularity(Eigen::MatrixXd(0, 2)), contains("modularity") && contains("(0, 2)"));
  REQUIRE_THROWS_AS(modularity(Eigen::MatrixXd::Constant(1, 2, -0.1)), RangeError);
  REQUIRE_THROWS_AS(modularity(Eigen::MatrixXd::Constant(1, 2, NAN)), RangeError);
}

TEST_CASE("a constant tells nothing, to the last digit, whatever the number of samples") {
  // sklearn.metrics.mutual_info_score gives 0.0 too.
  for (int n = 3; n < 300; ++n) {
    std::vector<int> const same(static_cast<std::size_t>(n));
    std::vector<int> levels;
    for (int i = 0; i < n; ++i) levels.push_back(i % 3);
    REQUIRE(mutual_information(same, levels) == 0);
    REQUIRE(discrete_entropy(same) == 0);
  }
}
