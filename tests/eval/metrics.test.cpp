#include <cmath>
#include <limits>

#include <tests/support/catch.hpp>

#include <diffsiam/eval/metrics.hpp>
#include <diffsiam/eval/ssim.hpp>

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

TEST_CASE("area under the ROC curve counts pairs in order, equal ones half") {
  REQUIRE(auroc(Floats{0.1F, 0.4F, 0.35F, 0.8F}, Ints{0, 0, 1, 1}) == 0.75);  // 3 of 4 pairs
  REQUIRE(auroc(Floats{1, 1, 1}, Ints{0, 1, 1}) == 0.5);
  REQUIRE(auroc(Floats{3, 2, 1}, Ints{0, 1, 1}) == 0);
  Floats scores;
  Ints positive;
  for (int i = 0; i < 60; ++i) {
    scores.push_back(std::floor(static_cast<float>((i * 13 + 5) % 23) / 23 * 8) / 8);
    positive.push_back((i * i + i * 5) % 7 < 3 ? 1 : 0);
  }
  // roc_auc_score(positive, scores), scikit-learn 1.9.1; 8 distinct scores
  REQUIRE(auroc(scores, positive) == Approx(0.26187782805429866).epsilon(1e-12));
  REQUIRE_THROWS_WITH(auroc(Floats{1, 2}, Ints{1, 1}), contains("auroc") && contains("no negative"));
  REQUIRE_THROWS_AS(auroc(Floats{1, 2}, Ints{0, 0}), RangeError);
  REQUIRE_THROWS_AS(auroc(Floats{1, 2}, Ints{0, 2}), RangeError);
  REQUIRE_THROWS_AS(auroc(Floats{1, NAN}, Ints{0, 1}), NumericError);
  REQUIRE_THROWS_AS(auroc(Floats{1}, Ints{0, 1}), ShapeError);
}

TEST_CASE("Pearson's r, squared error and PSNR by hand") {
  REQUIRE(pearson_r(Floats{1, 2, 3, 4}, Floats{1, 3, 2, 4}) == Approx(0.8));
  REQUIRE(pearson_r(Floats{1, 2, 3}, Floats{5, 3, 1}) == Approx(-1));
  REQUIRE_THROWS_WITH(pearson_r(Floats{1, 1}, Floats{1, 2}), contains("pearson_r") && contains("vary"));
  REQUIRE(mean_squared_error(Floats{0, 1}, Floats{0.5F, 0.5F}) == Approx(0.25));
  REQUIRE(psnr(Floats{0, 1}, Floats{0.1F, 0.9F}) == Approx(20).margin(1e-4));
  REQUIRE(psnr(Floats{0, 1}, Floats{0.1F, 0.9F}, 2) == Approx(20 + 20 * std::log10(2.0)).margin(1e-4));
  REQUIRE(psnr(Floats{0, 1}, Floats{0, 1}) == std::numeric_limits<double>::infinity());
  REQUIRE_THROWS_AS(psnr(Floats{0}, Floats{0}, 0), RangeError);
}

TEST_CASE("SSIM of constants is known, of equal pictures one, and each channel counts") {
  Shape const shape{2, 12, 13, 3};
  Floats a(static_cast<std::size_t>(shape.size()));
  for (std::size_t i = 0; i < a.size(); ++i) a[i] = static_cast<float>((i * 37) % 101) / 101.0F;
  REQUIRE(ssim(a, a, shape) == Approx(1));
  REQUIRE(ssim(a, a, shape, SsimBorder::zero) == Approx(1));

  Floats const low(a.size(), 0.25F), high(a.size(), 0.75F);
  double const luminance = (2 * 0.25 * 0.75 + 1e-4) / (0.0625 + 0.5625 + 1e-4);
  REQUIRE(ssim(low, high, shape) == Approx(luminance));
  REQUIRE(ssim(low, high, shape, SsimBorder::zero) != Approx(luminance));

  Floats b = a;
  for (std::size_t i = 1; i < b.size(); i += 3) b[i] = 1 - b[i];  // one channel of three inverted
  double const third = ssim(a, b, shape);
  REQUIRE(third < 0.67);
  REQUIRE(third > 0.3);
  REQUIRE_THROWS_WITH(ssim(a, a, {1, 12, 13, 3}),
                      contains("ssim: expected two times 468 values") && contains("936"));
  REQUIRE_THROWS_WITH(ssim(Floats(100), Floats(100), {1, 10, 10, 1}),
                      contains("11 x 11") && contains("(1, 10, 10, 1)"));
}

TEST_CASE("Scores refuse NaN and infinity, and a constant has no correlation") {
  float const infinite = std::numeric_limits<float>::infinity();
  REQUIRE_THROWS_AS(pearson_r(Floats{1, NAN, 2}, Floats{1, 2, 3}), NumericError);
  REQUIRE_THROWS_AS(pearson_r(Floats{1, infinite, 2}, Floats{1, 2, 3}), NumericError);
  for (std::size_t n = 1; n < 100; ++n) {
    Floats rising;
    for (std::size_t i = 0; i < n; ++i) rising.push_back(static_cast<float>(i));
    REQUIRE_THROWS_AS(pearson_r(Floats(n, 0.1F), rising), RangeError);
  }
  REQUIRE(pearson_r(Floats{1e-40F, 2e-40F}, Floats{1e38F, 3e38F}) == Approx(1));
  REQUIRE_THROWS_AS(mean_squared_error(Floats{NAN}, Floats{0}), NumericError);
  REQUIRE_THROWS_AS(psnr(Floats{infinite}, Floats{0}), NumericError);
  REQUIRE_THROWS_AS(psnr(Floats{1}, Floats{0}, static_cast<double>(infinite)), RangeError);
  REQUIRE_THROWS_WITH(ssim(Floats{NAN}, Floats{0}, {1, 1, 1, 1}, SsimBorder::zero), contains("on [0, 1]"));
  REQUIRE_THROWS_AS(ssim(Floats{1e20F}, Floats{0}, {1, 1, 1, 1}, SsimBorder::zero), RangeError);
  REQUIRE(ssim(Floats{0.5F}, Floats{0.5F}, {1, 1, 1, 1}, SsimBorder::zero) == Approx(1));
}
