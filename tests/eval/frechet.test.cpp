// Frechet distances that are known, and scipy's.
#include <cmath>
#include <vector>

#include <tests/eval/waves.hpp>
#include <tests/support/catch.hpp>

#include <diffsiam/eval/frechet.hpp>

using namespace diffsiam;
using namespace diffsiam::eval;
using test::Approx;
using test::contains;
using test::waves;

namespace {

/// Two samples a dim, at centre +- spread along it: mean `centre`, covariance diag(2 spread^2/(2 dims - 1)).
std::vector<float> cross(std::vector<float> const& centre, std::vector<float> const& spread) {
  std::vector<float> result;
  for (std::size_t j = 0; j < centre.size(); ++j)
    for (float const sign : {-1.0F, 1.0F}) {
      result.insert(result.end(), centre.begin(), centre.end());
      result[result.size() - centre.size() + j] += sign * spread[j];
    }
  return result;
}

}  // namespace

TEST_CASE("Between Gaussians with diagonal covariances the distance is known") {
  auto const a = cross({0, 1, 2}, {1, 2, 3}), b = cross({0.5F, 1, 0}, {3, 2, 0.5F});
  // |m_1 - m_2|^2 + sum (s_1 - s_2)^2, with s the deviations.
  double const expected = 0.25 + 4 + (4 + 0 + 6.25) * 2 / 5;
  Features const first{a, 6, 3}, second{b, 6, 3};
  CHECK(frechet_distance(first, second) == Approx(expected).epsilon(1e-6));
  CHECK(frechet_distance(second, first) == Approx(expected).epsilon(1e-6));
  CHECK(FrechetMoments::of(first).covariance()(1, 1) == Approx(2 * 4.0 / 5).epsilon(1e-6));
}

TEST_CASE("Equal sets have no distance, shifted ones that of their means") {
  auto const a = waves(0, 200, 6);
  auto b = a;
  Features const first{a, 200, 6}, second{b, 200, 6};
  CHECK(frechet_distance(first, first) >= 0);
  CHECK(frechet_distance(first, first) < 1e-7);
  for (std::size_t i = 2; i < b.size(); i += 6) b[i] += 3;
  CHECK(frechet_distance(first, second) == Approx(9).epsilon(1e-5));
}

TEST_CASE("The distance is that of scipy") {
  auto const x = waves(0, 200, 6);
  auto y = waves(50, 300, 6);
  // y = waves(50, 300, 6) * [1, 2, .5, 1, 1, 3] + [0, 0, 1, 0, -.5, 0]; y[:, 1] += y[:, 0]
  float const factor[6] = {1, 2, 0.5F, 1, 1, 3}, offset[6] = {0, 0, 1, 0, -0.5F, 0};
  for (std::size_t i = 0; i < y.size(); ++i) y[i] = y[i] * factor[i % 6] + offset[i % 6];
  for (std::size_t i = 0; i < y.size(); i += 6) y[i + 1] += y[i];
  // s, t = np.cov(x.T), np.cov(y.T)
  // ((x.mean(0) - y.mean(0))**2).sum() + np.trace(s + t - 2 * scipy.linalg.sqrtm(s @ t))
  Features const first{x, 200, 6}, second{y, 300, 6};
  CHECK(frechet_distance(first, second) == Approx(4.214826964).epsilon(1e-5));
  ThreadPool pool{3};
  CHECK(frechet_distance(first, second, &pool) == frechet_distance(first, second));
}

TEST_CASE("Fewer samples than dims are borne, fewer than two refused") {
  auto const x = waves(0, 4, 6), y = waves(9, 5, 6);
  // As above, by np.sqrt of the eigenvalues of s @ t, negative ones taken for 0.
  CHECK(frechet_distance({x, 4, 6}, {y, 5, 6}) == Approx(7.4447106).epsilon(1e-4));
  CHECK(frechet_distance({x, 4, 6}, {x, 4, 6}) < 1e-6);
  CHECK_THROWS_AS(FrechetMoments::of({std::span{x}.first(6), 1, 6}), RangeError);
  CHECK_THROWS_WITH(FrechetMoments::of({std::span{x}.first(6), 1, 6}),
                    contains("FrechetMoments: expected at least 2 samples, got 1"));
  CHECK_THROWS_WITH(frechet_distance({x, 4, 6}, {x, 8, 3}), contains("6 dims on both sides, got 3"));
  std::vector<float> const bad{1, NAN};
  CHECK_THROWS_AS(FrechetMoments::of({bad, 2, 1}), NumericError);
}

TEST_CASE("Covariances without full rank leave no rounding in the distance") {
  // (waves(0, 200, 4) @ waves(300, 4, 12)) against waves(50, 300, 12), with np.linalg.eigh, eigenvalues of
  // the first below 1e-12 taken for 0: sums in float were 2.5e-4 of it off.
  auto const inner = waves(0, 200, 4), outer = waves(300, 4, 12), full = waves(50, 300, 12);
  std::vector<float> flat;
  for (std::size_t i = 0; i < 200; ++i)
    for (std::size_t j = 0; j < 12; ++j) {
      double sum = 0;
      for (std::size_t k = 0; k < 4; ++k)
        sum += static_cast<double>(inner[i * 4 + k]) * static_cast<double>(outer[k * 12 + j]);
      flat.push_back(static_cast<float>(sum));
    }
  CHECK(frechet_distance({flat, 200, 12}, {full, 300, 12}) == Approx(10.2947087).epsilon(1e-6));
  auto const few = waves(0, 5, 12);
  CHECK(frechet_distance({few, 5, 12}, {full, 300, 12}) == Approx(7.5167669).epsilon(1e-6));
  CHECK_THROWS_AS(frechet_distance(FrechetMoments{}, FrechetMoments{}), RangeError);
}
