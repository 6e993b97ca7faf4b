#include <algorithm>
#include <string>

#include <tests/eval/blobs.hpp>
#include <tests/eval/codes.hpp>
#include <tests/support/catch.hpp>

#include <diffsiam/eval/linear_probe.hpp>
#include <diffsiam/eval/sap.hpp>

using namespace diffsiam;
using namespace diffsiam::eval;
using test::Approx;
using test::Blobs;
using test::contains;
using test::LevelGrid;

TEST_CASE("linear discriminants predict as scikit-learn's do") {
  test::Reference data;
  for (Index i = 0; i < data.count; ++i) {
    data.at(i, 1) += 0.4F * static_cast<float>(data.levels[static_cast<std::size_t>(i)]);
    data.at(i, 2) -= data.levels[static_cast<std::size_t>(i)] == 1 ? 0.3F : 0.0F;
  }
  SoftmaxWeights const weights = linear_discriminant(LevelMoments::of(data.factored()), 0, 0, 5, 0);
  // m = LinearDiscriminantAnalysis(solver='lsqr').fit(x, y); m.predict(x), m.coef_[3] - m.coef_[0],
  // m.intercept_[3] - m.intercept_[0], scikit-learn 1.9.1
  std::string predicted;
  for (int const level : softmax_predict(data.factored().features, weights))
    predicted += std::to_string(level);
  REQUIRE(predicted == "021233212000213332020002133311210122222212000221332120002123");
  std::vector<double> const expected{1.5368629364, 18.4667651766, -0.2189238058,
                                     2.4134418722, -3.0365422842, -20.0920249700};
  for (Index j = 0; j < 6; ++j)
    REQUIRE(weights(j, 3) - weights(j, 0) == Approx(expected[static_cast<std::size_t>(j)]).epsilon(1e-4));
}

TEST_CASE("a linear discriminant reads Gaussian classes as well as softmax regression") {
  Blobs const train{3000, 8, 4, 2, 1}, validation{500, 8, 4, 2, 2}, test{2000, 8, 4, 2, 3};
  auto const factored = [](Blobs const& blobs) {
    return Factored{blobs.features(), {blobs.labels, blobs.count, 1}};
  };
  SapResult const result = sap(factored(train), factored(test), {{8}});
  double const probe = linear_probe(train.labelled(), validation.labelled(), test.labelled()).accuracy;
  REQUIRE(result.accuracy(0, 0) == Approx(probe).margin(0.01));
}

TEST_CASE(
    "SAP is the gain over chance for a dim a factor, in whatever order, and 0 for a factor stored twice") {
  LevelGrid const one = test::perfect({2, 3, 5}, 4, 3);
  SapResult const result = sap(one.factored(), one.factored(), DimGroups::each(3));
  REQUIRE(result.accuracy(2, 2) == 1);  // five levels in line along one dim
  REQUIRE(result.per_factor[0] == Approx(1 - 1.0 / 2));
  REQUIRE(result.per_factor[1] == Approx(1 - 1.0 / 3));
  REQUIRE(result.per_factor[2] == Approx(1 - 1.0 / 5));
  REQUIRE(result.score == Approx((0.5 + 2.0 / 3 + 0.8) / 3));
  REQUIRE(result.best == std::vector<Index>{0, 1, 2});

  LevelGrid const twice{
      {3, 4}, 3, 3, [](int const* level, Index, Index j) { return static_cast<float>(level[j / 2]); }};
  SapResult const redundant = sap(twice.factored(), twice.factored(), DimGroups::each(3));
  REQUIRE(redundant.per_factor[0] == 0);
  REQUIRE(redundant.per_factor[1] == Approx(0.75));
  REQUIRE(sap(twice.factored(), twice.factored(), {{2, 3}}).per_factor[0] == Approx(1 - 1.0 / 3));

  LevelGrid const turned = test::rotated(4, 10);
  REQUIRE(sap(turned.factored(), turned.factored(), DimGroups::each(2)).score == Approx(0).margin(1e-12));
  LevelGrid const train = test::unrelated({2, 3}, 500, 6, 1), test = test::unrelated({2, 3}, 500, 6, 2);
  REQUIRE(sap(train.factored(), test.factored(), DimGroups::each(6)).score < 0.03);
}

TEST_CASE("predictors judge the test samples, in whatever order they come") {
  LevelGrid const train = test::perfect({5}, 20, 1);
  LevelGrid test = test::perfect({5}, 4, 1);
  std::reverse(test.values.begin(), test.values.end());
  std::reverse(test.code.begin(), test.code.end());
  REQUIRE(sap(train.factored(), test.factored(), {{1}}).accuracy(0, 0) == 1);
}

TEST_CASE("a constant code predicts the most frequent level, so its SAP is 0, also of one part alone") {
  std::vector<float> const code(12, 3.0F);
  std::vector<int> const levels{0, 1, 1, 1, 2, 1};
  Factored const data{{code, 6, 2}, {levels, 6, 1}};
  SapResult const result = sap(data, data, DimGroups::each(2));
  REQUIRE(result.accuracy(1, 0) == Approx(4.0 / 6));
  REQUIRE(result.score == 0);
  REQUIRE(sap(data, data, {{2}}).score == 0);
  std::vector<float> const good{0, 1, 1, 1, 2, 1};
  Factored const known{{good, 6, 1}, {levels, 6, 1}};
  REQUIRE(sap(known, known, {{1}}).score == Approx(1 - 4.0 / 6));
}

TEST_CASE("SAP has the same bits for any number of threads, and checks what it is given") {
  LevelGrid const train = test::perfect({2, 3, 4}, 10, 9, 1), test = test::perfect({2, 3, 4}, 5, 9, 2);
  DimGroups const groups{{2, 3, 7, 9}};
  ThreadPool pool{3};
  REQUIRE(sap(train.factored(), test.factored(), groups, &pool).accuracy ==
          sap(train.factored(), test.factored(), groups).accuracy);
  LevelGrid const few = test::perfect({2, 2}, 1, 4);
  REQUIRE_THROWS_WITH(sap(few.factored(), few.factored(), {{4}}),
                      contains("sap") && contains("4 dims of group 0"));
  REQUIRE_THROWS_AS(sap(train.factored(), few.factored(), groups), ShapeError);
  REQUIRE_THROWS_AS(sap(few.factored(), few.factored(), {{1}}), ConfigError);
}

TEST_CASE("a linear discriminant refuses to divide by rounding") {
  test::Reference data;
  for (Index i = 0; i < test::Reference::count; ++i) data.at(i, 4) = data.at(i, 1);
  LevelMoments const moments = LevelMoments::of(data.factored());
  REQUIRE_THROWS_WITH(linear_discriminant(moments, 0, 0, 5, 0),
                      contains("linear_discriminant") && contains("none but rounding"));
  REQUIRE(linear_discriminant(moments, 0, 0, 5).allFinite());
  REQUIRE_THROWS_AS(linear_discriminant(moments, 1, 0, 5), RangeError);
  REQUIRE_THROWS_AS(linear_discriminant(moments, 0, 3, 3), RangeError);
  REQUIRE_THROWS_AS(linear_discriminant(moments, 0, 0, 5, -1), ConfigError);
  data.levels[7] = -1;
  REQUIRE_THROWS_AS(LevelMoments::of(data.factored()), RangeError);
}
