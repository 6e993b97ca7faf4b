// A map of the latent space that is folded into encoder and decoder.
#include <cmath>
#include <vector>

#include <tests/support/catch.hpp>
#include <tests/support/small_model.hpp>

#include <diffsiam/model/latent_map.hpp>
#include <diffsiam/testing/draw.hpp>

using namespace diffsiam;
using B = backend::Cpu<float>;
using Catch::Matchers::WithinAbs;
using model::LatentMap;
using test::contains;
using test::SmallModel;

namespace {

/// Turns each pair of dims by an angle and doubles it; the dims of a pair are four apart, so that the map
/// mixes subsets.
LatentMap pairs_turned(double angle) {
  LatentMap map{std::vector<double>(8), std::vector<double>(64), std::vector<double>(64)};
  for (std::size_t i = 0; i < 8; ++i) map.mean[i] = 0.1 * static_cast<double>(i) - 0.3;
  double const c = std::cos(angle), s = std::sin(angle);
  for (std::size_t i = 0; i < 4; ++i) {
    std::size_t const j = i + 4;
    map.forward[i * 8 + i] = map.forward[j * 8 + j] = 2 * c;
    map.forward[j * 8 + i] = 2 * s;
    map.forward[i * 8 + j] = -2 * s;
    map.inverse[i * 8 + i] = map.inverse[j * 8 + j] = c / 2;
    map.inverse[j * 8 + i] = -s / 2;
    map.inverse[i * 8 + j] = s / 2;
  }
  return map;
}

void check_close(Tensor<B> const& a, Tensor<B> const& b) {
  auto const x = a.values(), y = b.values();
  REQUIRE(x.size() == y.size());
  for (std::size_t i = 0; i < x.size(); ++i) CHECK_THAT(x[i], WithinAbs(y[i], 1e-5));
}

}  // namespace

TEST_CASE("A folded map gives z' = A (z - m), and the unmasked model predicts the same") {
  B::Context context{{.threads = 1}};
  SmallModel<B> const small{context};
  auto const draw = [&](Shape const& shape, std::uint64_t seed) {
    auto const values = testing::draw(testing::Kind::normal, shape, {.seed = seed});
    return Tensor<B>::from(context, shape, std::span<double const>{values});
  };
  Tensor<B> const x = draw({3, 8, 8, 1}, 5), x_t = draw({3, 8, 8, 1}, 6);
  auto const t = Tensor<B>::from(context, {3}, std::span<double const>{std::vector<double>{0, 5, 11}});
  Tensor<B> const z = small.encoder(x);
  auto const before = small.decoder(x_t, t, z);

  LatentMap const map = pairs_turned(0.7);
  model::fold_latent_map(small.encoder, small.decoder, map);
  Tensor<B> const turned = small.encoder(x);

  auto const old = z.values<double>(), now = turned.values<double>();
  double const c = 2 * std::cos(0.7), s = 2 * std::sin(0.7);
  for (std::size_t n = 0; n < 3; ++n)
    for (std::size_t i = 0; i < 4; ++i) {
      double const a = old[n * 8 + i] - map.mean[i], b = old[n * 8 + i + 4] - map.mean[i + 4];
      CHECK_THAT(now[n * 8 + i], WithinAbs(c * a - s * b, 1e-5));
      CHECK_THAT(now[n * 8 + i + 4], WithinAbs(s * a + c * b, 1e-5));
    }
  auto const after = small.decoder(x_t, t, turned);
  check_close(after.eps, before.eps);
  check_close(after.gradient, before.gradient);
  // Masked, it is another model.
  auto const half = [&](Tensor<B> const& code) {
    return small.decoder(x_t, t, encoder::reveal(small.model.partition(), code, t)).gradient.values();
  };
  CHECK(half(turned) != half(z));
}

TEST_CASE("An encoder under another partition shares its weights") {
  B::Context context{{.threads = 1}};
  SmallModel<B> const small{context};
  auto const one = TimestepPartition::uniform({.timesteps = 12, .subsets = 1, .dims = 8});
  auto const other = small.encoder.with_partition(one);
  CHECK(other.partition() == one);
  CHECK(small.encoder.partition().subsets() == 4);
  CHECK(other.head().linear().weight().same_as(small.encoder.head().linear().weight()));
  auto const wide = TimestepPartition::uniform({.timesteps = 12, .subsets = 1, .dims = 9});
  CHECK_THROWS_WITH(small.encoder.with_partition(wide), contains("with_partition") && contains("8 dims"));
}

TEST_CASE("A map that does not fit is refused, and changes nothing") {
  B::Context context{{.threads = 1}};
  SmallModel<B> const small{context};
  auto const before = small.encoder.head().linear().weight().value().values();
  LatentMap map = pairs_turned(0.3);
  map.inverse[9] += 0.01;
  CHECK_THROWS_WITH(model::fold_latent_map(small.encoder, small.decoder, map),
                    contains("fold_latent_map") && contains("inverse"));
  CHECK_THROWS_WITH(model::fold_latent_map(small.encoder, small.decoder, LatentMap{{0}, {1}, {1}}),
                    contains("8 dims") && contains("1 means"));
  CHECK(small.encoder.head().linear().weight().value().values() == before);
}
