#include <cmath>

#include <tests/eval/codes.hpp>
#include <tests/support/catch.hpp>

#include <diffsiam/eval/tad.hpp>

using namespace diffsiam;
using namespace diffsiam::eval;
using test::Approx;
using test::contains;
using test::Grid;

TEST_CASE("TAD is half an attribute for a dim each, of either sign, and 0 for one stored twice") {
  Grid const signs{{2, 2, 2}, 3, 3, [](int const* level, Index, Index j) {
                     return static_cast<float>(j == 1 ? -level[j] : level[j]);
                   }};
  TadResult const one = tad(signs.factored());
  REQUIRE(one.captured == 3);
  REQUIRE(one.score == Approx(1.5));
  REQUIRE(one.best == std::vector<Index>{0, 1, 2});
  REQUIRE(one.auroc(1, 1) == 1);
  REQUIRE(one.auroc(0, 1) == 0.5);

  Grid const twice{
      {2, 2}, 3, 3, [](int const* level, Index, Index j) { return static_cast<float>(level[j / 2]); }};
  TadResult const redundant = tad(twice.factored());
  REQUIRE(redundant.captured == 2);
  REQUIRE(redundant.gap == std::vector<double>{0, 0.5});
  REQUIRE(tad(Grid{{2}, 5, 1, [](int const* level, Index, Index) { return static_cast<float>(*level); }}
                  .factored())
              .score == Approx(0.5));
}

TEST_CASE("what is turned, unrelated or constant is captured as far as its AUROC goes") {
  // Sums of two bits: 1 against 0 wins with 3/4 + half of 1/4 over {0, 1} against {1, 2}.
  TadResult const turned = tad(test::rotated(2, 5).factored());
  REQUIRE(turned.auroc(0, 0) == Approx(0.875));
  REQUIRE(turned.captured == 2);
  REQUIRE(turned.score == Approx(0).margin(1e-12));
  REQUIRE(tad(test::rotated(2, 5).factored(), {.captured = 0.9}).captured == 0);
  TadResult const random = tad(test::unrelated({2, 2}, 300, 4).factored());
  REQUIRE(random.captured == 0);
  REQUIRE(random.score == 0);
  TadResult const flat = tad(test::constant({2, 2}, 3, 4).factored());
  REQUIRE(flat.auroc == Eigen::MatrixXd::Constant(4, 2, 0.5));
  REQUIRE(flat.captured == 0);
}

TEST_CASE("AUROC of dims is that of scikit-learn") {
  test::Reference const data;
  std::vector<int> positive;
  for (Index i = 0; i < data.count; ++i) positive.push_back((i * i + i * 5) % 7 < 3 ? 1 : 0);
  // a = roc_auc_score((i * i + i * 5) % 7 < 3, x[:, j]); max(a, 1 - a), scikit-learn 1.9.1
  std::vector<double> const expected{1 - 0.3721719457013575, 0.5271493212669683, 0.5254524886877828,
                                     0.5237556561085972, 0.57579185520362};
  TadResult const result = tad({data.factored().features, {positive, data.count, 1}}, {.captured = 0.6});
  for (Index j = 0; j < data.dims; ++j)
    REQUIRE(result.auroc(j, 0) == Approx(expected[static_cast<std::size_t>(j)]).epsilon(1e-12));
  REQUIRE(result.score == Approx(1 - 0.3721719457013575 - 0.57579185520362));
}

TEST_CASE("attributes that say the same are left out, unless asked for") {
  Grid grid = test::perfect({2, 2, 2}, 5, 3);
  for (std::size_t i = 0; i < grid.values.size(); i += 3) grid.values[i + 2] = 1 - grid.values[i];
  TadResult const strict = tad(grid.factored());
  REQUIRE(strict.is_captured == std::vector<bool>{false, true, false});
  REQUIRE(strict.shared[0] == Approx(1));
  REQUIRE(strict.shared[1] == Approx(0).margin(1e-12));
  REQUIRE(strict.score == Approx(0.5));
  REQUIRE(tad(grid.factored(), {.most_shared = 1}).captured == 3);
}

TEST_CASE(
    "TAD of groups reads attributes that are turned within one, and is that of dims for groups of one") {
  auto const dim = [](std::uint64_t seed) {
    return [=](int const* level, Index i, Index j) {
      auto const value = static_cast<float>(j == 0   ? level[0] + level[1]
                                            : j == 1 ? level[0] - level[1]
                                                     : level[2]);
      return value + 0.3F * test::noise(i, j, seed);
    };
  };
  Grid const train{{2, 2, 2}, 50, 3, dim(1)}, test{{2, 2, 2}, 25, 3, dim(2)};
  TadResult const groups = group_tad(train.factored(), test.factored(), {{2, 3}});
  REQUIRE(groups.captured == 3);
  REQUIRE(groups.score > 1.2);
  REQUIRE(groups.best == std::vector<Index>{0, 0, 1});
  ThreadPool pool{3};
  REQUIRE(group_tad(train.factored(), test.factored(), {{2, 3}}, {}, &pool).auroc == groups.auroc);
  TadResult const dims = tad(test.factored(), {}, &pool);
  REQUIRE((group_tad(train.factored(), test.factored(), DimGroups::each(3)).auroc - dims.auroc).norm() <
          1e-12);
  REQUIRE(tad(test.factored()).auroc == dims.auroc);
}

TEST_CASE("TAD wants binary attributes and a threshold above chance") {
  REQUIRE_THROWS_WITH(tad(test::perfect({2, 3}, 2, 2).factored()),
                      contains("tad") && contains("binary") && contains("2 of attribute 1 in sample 4"));
  Grid const good = test::perfect({2, 2}, 2, 2);
  REQUIRE_THROWS_AS(tad(good.factored(), {.captured = 0.4}), ConfigError);
  REQUIRE_THROWS_AS(tad(good.factored(), {.most_shared = NAN}), ConfigError);
  REQUIRE_THROWS_AS(group_tad(good.factored(), test::perfect({2, 3}, 2, 2).factored(), {{2}}), RangeError);
  Grid one = good;
  for (std::size_t i = 0; i < one.values.size(); i += 2) one.values[i] = 1;
  REQUIRE_THROWS_WITH(tad(one.factored()), contains("two levels of factor 0"));
}
