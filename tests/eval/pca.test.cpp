#include <cmath>

#include <tests/eval/blobs.hpp>
#include <tests/eval/waves.hpp>
#include <tests/support/catch.hpp>

#include <diffsiam/eval/pca.hpp>

using namespace diffsiam;
using namespace diffsiam::eval;
using test::Approx;
using test::Blobs;
using test::contains;

namespace {

/// 3000 samples of 70 dims (two panels, two blocks), stretched by 5, 4, 3 along known axes, far from the
/// origin.
std::vector<float> stretched() {
  Blobs blobs{3000, 70, 2, 0, 3};
  for (Index i = 0; i < 3000; ++i) {
    float* const row = blobs.values.data() + i * 70;
    float const a = 5 * row[0], b = 4 * row[1];
    row[0] = (a + b) / std::sqrt(2.0F);
    row[1] = (a - b) / std::sqrt(2.0F);
    row[69] *= 3;
    for (int j = 0; j < 70; ++j) row[j] += 100;
  }
  return blobs.values;
}

}  // namespace

TEST_CASE("covariance matches its definition in double") {
  std::vector<float> const values = stretched();
  Features const x{values, 3000, 70};
  Eigen::VectorXd const mean = mean_of(x);
  Eigen::MatrixXd const covariance = covariance_of(x, mean);
  REQUIRE((covariance - covariance.transpose()).norm() == 0);
  double worst = 0;
  for (Index a = 0; a < 70; ++a)
    for (Index b = 0; b < 70; ++b) {
      double sum = 0;
      for (Index i = 0; i < 3000; ++i)
        sum += (static_cast<double>(x.row(i)[a]) - mean[a]) * (static_cast<double>(x.row(i)[b]) - mean[b]);
      worst = std::max(worst, std::abs(sum / 3000 - covariance(a, b)));
    }
  REQUIRE(worst < 1e-4);
}

TEST_CASE("PCA finds the axes of greatest variance, the same with any number of threads") {
  std::vector<float> const values = stretched();
  Features const x{values, 3000, 70};
  Pca const pca = Pca::fit(x, {.components = 3});
  REQUIRE(std::sqrt(pca.variances()[0]) == Approx(5).epsilon(0.05));
  REQUIRE(std::sqrt(pca.variances()[1]) == Approx(4).epsilon(0.05));
  REQUIRE(std::sqrt(pca.variances()[2]) == Approx(3).epsilon(0.05));
  REQUIRE(pca.explained() == Approx(50.0 / 117).epsilon(0.05));
  std::vector<float> const z = pca(x);
  REQUIRE(z.size() == 9000);
  // Projections are centred, uncorrelated, and of the variance that was said.
  Features const projected{z, 3000, 3};
  Eigen::VectorXd const mean = mean_of(projected);
  Eigen::MatrixXd const covariance = covariance_of(projected, mean);
  REQUIRE(mean.norm() < 1e-3);
  for (Index k = 0; k < 3; ++k) {
    REQUIRE(covariance(k, k) == Approx(pca.variances()[static_cast<std::size_t>(k)]).epsilon(1e-4));
    REQUIRE(std::abs(covariance(k, (k + 1) % 3)) < 1e-3);
  }
  ThreadPool pool{3};
  REQUIRE(Pca::fit(x, {.components = 3}, &pool)(x, &pool) == z);
}

TEST_CASE("a whitened projection has unit variance") {
  std::vector<float> const values = stretched();
  Features const x{values, 3000, 70};
  std::vector<float> const z = Pca::fit(x, {.components = 4, .whiten = true})(x);
  Features const projected{z, 3000, 4};
  Eigen::MatrixXd const covariance = covariance_of(projected, mean_of(projected));
  REQUIRE((covariance - Eigen::MatrixXd::Identity(4, 4)).norm() < 1e-3);
}

TEST_CASE("a PCA that cannot be is refused") {
  Blobs const blobs{20, 4, 2, 1, 1};
  REQUIRE_THROWS_WITH(Pca::fit(blobs.features(), {.components = 5}), contains("[1, 4]") && contains("got 5"));
  REQUIRE_THROWS_AS(Pca::fit(blobs.features(), {.components = 0}), ConfigError);
  Pca const pca = Pca::fit(blobs.features(), {.components = 2});
  REQUIRE_THROWS_WITH(pca({blobs.values, 40, 2}), contains("Pca: expected 4 dims") && contains("got 2"));
  std::vector<float> bad = blobs.values;
  bad[7] = NAN;
  REQUIRE_THROWS_WITH(Pca::fit({bad, 20, 4}, {.components = 2}), contains("Pca::fit") && contains("finite"));
}

TEST_CASE("PCA of few samples has the directions they hold, and says how many when asked for more") {
  std::vector<float> const values = test::waves(0, 5, 10);
  Features const x{values, 5, 10};
  REQUIRE_THROWS_AS(Pca::fit(x, {.components = 8, .whiten = true}), ConfigError);
  REQUIRE_THROWS_WITH(Pca::fit(x, {.components = 8}), contains("Pca::fit: expected at most 4 components") &&
                                                          contains("these 5 samples vary") &&
                                                          contains("got 8") && contains("allow_fewer"));
  Pca const pca = Pca::fit(x, {.components = 8, .whiten = true, .allow_fewer = true});
  // PCA().fit(waves(0, 5, 10)).explained_variance_ * 4 / 5, scikit-learn 1.9.1
  double const variances[4] = {1.928992156, 1.310925259, 0.9608030066, 0.8436367254};
  REQUIRE(pca.components() == 4);
  for (std::size_t k = 0; k < 4; ++k) REQUIRE(pca.variances()[k] == Approx(variances[k]).epsilon(1e-6));
  REQUIRE(pca.explained() == 1);
  // The greatest of abs(PCA(4, whiten=True).fit_transform(x)) * sqrt(5 / 4)
  float greatest = 0;
  for (float const z : pca(x)) greatest = std::max(greatest, std::abs(z));
  REQUIRE(greatest == Approx(1.441950444F).epsilon(1e-4));
}

TEST_CASE("PCA counts the directions of duplicates, and a dim far from the origin hides no other") {
  Blobs blobs{600, 12, 2, 0, 5};
  for (std::size_t i = 36; i < blobs.values.size(); ++i) blobs.values[i] = blobs.values[i % 36];  // 3 rows
  REQUIRE(Pca::fit(blobs.features(), {.components = 2, .whiten = true}).components() == 2);
  REQUIRE_THROWS_WITH(Pca::fit(blobs.features(), {.components = 3}), contains("at most 2 components"));
  Blobs far{600, 12, 2, 0, 6};
  for (std::size_t i = 0; i < far.values.size(); i += 12) far.values[i] += 1e6F;
  REQUIRE(Pca::fit(far.features(), {.components = 12}).variances().back() > 0.5);
  std::vector<float> const same(60, 0.1F);
  REQUIRE_THROWS_WITH(Pca::fit({same, 20, 3}, {.components = 1}), contains("features that vary"));
}

TEST_CASE("the inverse of PCA is the projection on the plane of its components") {
  std::vector<float> const values = stretched();
  Features const x{values, 3000, 70};
  auto const distance = [&](std::vector<float> const& other) {
    double sum = 0;
    for (std::size_t i = 0; i < values.size(); ++i)
      sum += std::pow(static_cast<double>(values[i]) - static_cast<double>(other[i]), 2);
    return sum / 3000;
  };
  bool const whiten = GENERATE(false, true);
  CAPTURE(whiten);
  Pca const all = Pca::fit(x, {.components = 70, .whiten = whiten});
  auto const z_of_all = all(x);
  REQUIRE(distance(all.inverse({z_of_all, 3000, 70})) < 1e-6);

  Pca const three = Pca::fit(x, {.components = 3, .whiten = whiten});
  auto const z = three(x);
  auto const back = three.inverse({z, 3000, 3});
  // What is left is the variance of the other 67 directions.
  double left = 0;
  for (std::size_t k = 3; k < 70; ++k) left += all.variances()[k];
  REQUIRE(distance(back) == Approx(left).epsilon(1e-3));
  // A projection of a projection is itself.
  auto const again = three({back, 3000, 70});
  double worst = 0;
  for (std::size_t i = 0; i < z.size(); ++i)
    worst = std::max(worst, std::abs(static_cast<double>(again[i]) - static_cast<double>(z[i])));
  REQUIRE(worst < 1e-3);

  ThreadPool pool{3};
  REQUIRE(three.inverse({z, 3000, 3}, &pool) == back);
  REQUIRE_THROWS_WITH(three.inverse({z, 1500, 6}), contains("Pca::inverse") && contains("3 dims"));
}
