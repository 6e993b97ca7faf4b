#include <vector>

#include <tests/support/catch.hpp>
#include <tests/support/small_model.hpp>

#include <diffsiam/model/denoiser_activations.hpp>

using namespace diffsiam;
using diffsiam::test::contains;
using B = backend::Cpu<double>;

namespace {

struct Denoised {
  B::Context context{{.threads = 1}};
  test::SmallModel<B> small{context};
  Tensor<B> images = diffusion::normal<B>(context, {3, 8, 8, 1}, {.seed = 1});

  [[nodiscard]] model::DenoiserActivations<B> at(int t, Index side = 8) const {
    return {small.denoiser, small.schedule(), t, side, side};
  }
};

}  // namespace

TEST_CASE("The activations are the bottom of the down path for x_t") {
  Denoised s;
  auto const code = s.at(5);
  auto const z = code(s.images);
  REQUIRE(code.latent_dims() == 16 * 4 * 4);
  REQUIRE(z.shape() == Shape{3, 256});

  auto const t = diffusion::same_timestep<B>(s.context, 3, 5);
  auto const noise = diffusion::normal<B>(s.context, s.images.shape(), {.seed = 0, .stream = 60});
  auto const x_t = add_noise(s.small.schedule(), s.images, t, noise);
  auto const skips = s.small.denoiser.down()(x_t, s.small.denoiser.time_embedding()(t));
  CHECK(z.values() == skips.front().values());
  CHECK(z.values() != s.at(6)(s.images).values());
}

TEST_CASE("Activations of pictures and time-steps that do not fit are refused") {
  Denoised s;
  REQUIRE_THROWS_WITH(s.at(12), contains("a time-step in [0, 12)"));
  REQUIRE_THROWS_WITH(s.at(-1), contains("got -1"));
  REQUIRE_THROWS_WITH(s.at(0, 7), contains("multiples of 2"));
  REQUIRE_THROWS_WITH(s.at(0)(diffusion::normal<B>(s.context, {1, 4, 4, 1}, {.seed = 1})),
                      contains("DenoiserActivations"));
}
