// A world whose answer is known: three directions of z, mixed by a matrix, of which noise leaves nothing from
// one step on, each from its own.
#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include <tests/support/catch.hpp>

#include <diffsiam/eval/latent_order.hpp>
#include <diffsiam/testing/draw.hpp>

using namespace diffsiam;
using Catch::Matchers::WithinAbs;
using eval::DenoisedCodes;
using eval::Features;
using test::contains;

namespace {

constexpr Index sampled = 4000, dims = 3;
constexpr std::array<double, 3> lost{300, 700, 500};  // of f_0, f_1, f_2
// z = mix f + 1; the scales of f are 1, 1, 1, those of z are not.
constexpr std::array<double, 9> mix{2, 1, 0, 0, 0.5, 0.1, 0.3, 0, 1};

std::vector<double> factors() {
  return testing::draw(testing::Kind::normal, {sampled * dims}, {.seed = 3});
}

std::vector<float> codes(std::vector<double> const& f) {
  std::vector<float> z;
  for (std::size_t i = 0; i < f.size(); i += dims)
    for (std::size_t j = 0; j < dims; ++j)
      z.push_back(
          static_cast<float>(1 + mix[3 * j] * f[i] + mix[3 * j + 1] * f[i + 1] + mix[3 * j + 2] * f[i + 2]));
  return z;
}

/// The denoiser knows a factor exactly until it is lost, and then returns its mean.
std::vector<DenoisedCodes> denoised(std::vector<double> const& f) {
  std::vector<DenoisedCodes> result;
  for (int t = 25; t < 1000; t += 50) {
    std::vector<double> known = f;
    for (std::size_t i = 0; i < known.size(); ++i)
      if (t > lost[i % dims]) known[i] = 0;
    result.push_back({t, codes(known)});
  }
  return result;
}

/// |correlation| of dim j of z' with each factor.
std::array<double, 3> correlations(std::vector<float> const& z, std::vector<double> const& f,
                                   model::LatentMap const& map, std::size_t j) {
  std::array<double, 3> products{};
  double squares = 0;
  std::array<double, 3> factor_squares{};
  for (std::size_t i = 0; i < f.size(); i += dims) {
    double value = 0;
    for (std::size_t l = 0; l < dims; ++l)
      value += map.forward[dims * j + l] * (static_cast<double>(z[i + l]) - map.mean[l]);
    squares += value * value;
    for (std::size_t k = 0; k < dims; ++k) {
      products[k] += value * f[i + k];
      factor_squares[k] += f[i + k] * f[i + k];
    }
  }
  for (std::size_t k = 0; k < dims; ++k)
    products[k] = std::abs(products[k]) / std::sqrt(squares * factor_squares[k]);
  return products;
}

}  // namespace

TEST_CASE("Directions come in the order in which they are lost, each with its step") {
  auto const f = factors();
  auto const z = codes(f);
  auto const order = eval::latent_order({z, sampled, dims}, denoised(f));
  REQUIRE(order.lost_steps.size() == 3);
  // Ridge of .01 takes a hundredth, and 4,000 samples leave correlations of .016 between the factors.
  CHECK_THAT(order.lost_steps[0], WithinAbs(300, 8));
  CHECK_THAT(order.lost_steps[1], WithinAbs(500, 8));
  CHECK_THAT(order.lost_steps[2], WithinAbs(700, 8));
  CHECK(correlations(z, f, order.map, 0)[0] > 0.99);
  CHECK(correlations(z, f, order.map, 1)[2] > 0.99);
  CHECK(correlations(z, f, order.map, 2)[1] > 0.99);
  ThreadPool pool{3};
  auto const again = eval::latent_order({z, sampled, dims}, denoised(f), {}, &pool);
  CHECK(again.lost_steps == order.lost_steps);
  CHECK(again.map.forward == order.map.forward);
}

TEST_CASE("The order refuses codes that do not fit") {
  auto const f = factors();
  auto const z = codes(f);
  Features const all{z, sampled, dims};
  auto known = denoised(f);
  CHECK_THROWS_WITH(eval::latent_order(all, std::vector<DenoisedCodes>{}), contains("one time-step"));
  known[1].values.pop_back();
  CHECK_THROWS_WITH(eval::latent_order(all, known), contains("latent_order") && contains("12000 values"));
  known = denoised(f);
  std::swap(known[3], known[4]);
  CHECK_THROWS_WITH(eval::latent_order(all, known), contains("ascending") && contains("175 after 225"));
  CHECK_THROWS_WITH(eval::latent_order(all, std::vector<DenoisedCodes>{{25, {1, 2, 3}}}),
                    contains("from 4 to 4000"));
  known = denoised(f);
  known[0].values[7] = NAN;
  CHECK_THROWS_AS(eval::latent_order(all, known), NumericError);
}
