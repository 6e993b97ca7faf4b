#include <array>
#include <cmath>
#include <vector>

#include <tests/support/catch.hpp>

#include <diffsiam/eval/latent_basis.hpp>

using namespace diffsiam;
using Catch::Matchers::WithinAbs;
using test::contains;

TEST_CASE("Variances sort directions without a denoiser, and whiten them") {
  // Independent dims of deviations 3, 1 and 2, in floats that are exact.
  std::vector<float> const z{3,  1, 2, 3,  1, -2, 3,  -1, 2, 3,  -1, -2,
                             -3, 1, 2, -3, 1, -2, -3, -1, 2, -3, -1, -2};
  auto const map = eval::variance_order({z, 8, 3});
  std::array<std::size_t, 3> const expected{1, 2, 0};
  for (std::size_t j = 0; j < 3; ++j)
    for (std::size_t l = 0; l < 3; ++l) {
      double const scale = l == 0 ? 3 : l == 1 ? 1 : 2;
      CHECK_THAT(std::abs(map.forward[3 * j + l]), WithinAbs(l == expected[j] ? 1 / scale : 0, 1e-6));
      CHECK_THAT(std::abs(map.inverse[3 * l + j]), WithinAbs(l == expected[j] ? scale : 0, 1e-6));
    }
  auto const back = eval::reversed(map);
  for (std::size_t l = 0; l < 3; ++l) {
    CHECK(back.forward[l] == map.forward[6 + l]);
    CHECK(back.inverse[3 * l] == map.inverse[3 * l + 2]);
  }
}

TEST_CASE("A rotation turns the map, and a random one is orthonormal") {
  std::vector<double> const turn = eval::random_rotation(5, {.seed = 4});
  for (std::size_t i = 0; i < 5; ++i)
    for (std::size_t j = 0; j < 5; ++j) {
      double product = 0;
      for (std::size_t l = 0; l < 5; ++l) product += turn[5 * i + l] * turn[5 * j + l];
      CHECK_THAT(product, WithinAbs(i == j ? 1 : 0, 1e-12));
    }
  CHECK(eval::random_rotation(5, {.seed = 5}) != turn);
  // A quarter turn of two dims of deviations 1 and 2.
  model::LatentMap const map{{0, 0}, {1, 0, 0, 0.5}, {1, 0, 0, 2}};
  auto const turned = eval::rotated(map, std::vector<double>{0, 1, -1, 0});
  CHECK(turned.forward == std::vector<double>{0, 0.5, -1, 0});
  CHECK(turned.inverse == std::vector<double>{0, -1, 2, 0});
  CHECK_THROWS_WITH(eval::rotated(map, std::vector<double>{1}), contains("rotated") && contains("(2, 2)"));
  CHECK_THROWS_AS(eval::random_rotation(0, {}), ConfigError);
}

TEST_CASE("Features that do not vary have no basis") {
  std::vector<float> const constant(30, 2.0F);
  CHECK_THROWS_WITH(eval::variance_order({constant, 10, 3}), contains("vary"));
}
