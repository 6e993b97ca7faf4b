#include <cmath>
#include <limits>

#include <tests/model/pictures.hpp>
#include <tests/support/catch.hpp>

#include <diffsiam/backend/cpu/cpu.hpp>
#include <diffsiam/model/beta_vae.hpp>
#include <diffsiam/train/adam.hpp>
#include <diffsiam/value/taped.hpp>

namespace diffsiam::test {

using B = backend::Cpu<float>;
using Vae = model::BetaVae<B>;

Vae small_vae(B::Context& context, double beta) {
  return {picture_encoder<B>(context, 8), picture_decoder<B>(context, 4), {.beta = beta}};
}

/// Reconstruction and KL after some steps.
model::BetaVaeLoss<Tensor<B>> trained_vae(double beta) {
  B::Context context{{.threads = 1}};
  Vae const model = small_vae(context, beta);
  auto const x = Pictures{16, 1}.tensor<B>(context);
  train::Adam<B> adam{nn::parameters(model), {.learning_rate = 3e-3}};
  for (std::uint64_t step = 0; step < 150; ++step) {
    Tape<B> tape{context};
    tape.backward(model.loss(tape.input(x), {.seed = 7, .step = step}).total);
    adam.step();
  }
  return model.loss(x, {.seed = 8});
}

TEST_CASE("A large beta leaves the prior alone, a small one lets pictures through") {
  auto const free = trained_vae(0.1), bound = trained_vae(1000);
  CHECK(free.kl.item() > 2);  // nats; eight kinds of pictures are ln 8 = 2.08
  CHECK(bound.kl.item() < 0.01F);
  CHECK(free.reconstruction.item() < bound.reconstruction.item() / 3);
}

TEST_CASE("The loss of a BetaVae is half the squares of an image and beta times the KL") {
  B::Context context{{.threads = 1}};
  Vae const model = small_vae(context, 2.5);
  auto const x = Pictures{3, 1}.tensor<B>(context);
  Rng const rng{.seed = 5, .step = 3};
  auto const loss = model.loss(x, rng);
  // By hand, from the encoder's numbers.
  auto const both = model.encoder()(x).values<double>();
  auto const eps = diffusion::normal<B>(context, {3, 4}, rng).values<double>();
  std::vector<double> z;
  double kl = 0;
  for (std::size_t i = 0; i < 3; ++i) {
    for (std::size_t j = 0; j < 4; ++j) {
      double const mu = both[8 * i + j], v = both[8 * i + 4 + j];
      z.push_back(mu + std::exp(v / 2) * eps[4 * i + j]);
      kl += (mu * mu + std::exp(v) - 1 - v) / 2;
    }
  }
  auto const decoded =
      model.decode(Tensor<B>::from(context, {3, 4}, std::span<double const>{z})).values<double>();
  auto const actual = x.values<double>();
  double squares = 0;
  for (std::size_t i = 0; i < actual.size(); ++i) squares += std::pow(actual[i] - decoded[i], 2);
  CHECK(static_cast<double>(loss.reconstruction.item()) == Approx(squares / 2 / 3).epsilon(1e-5));
  CHECK(static_cast<double>(loss.kl.item()) == Approx(kl / 3).epsilon(1e-5));
  CHECK(static_cast<double>(loss.total.item()) == Approx((squares / 2 + 2.5 * kl) / 3).epsilon(1e-5));
  CHECK(model.loss(x, rng).total.item() == loss.total.item());
  CHECK(model.loss(x, rng.next()).total.item() != loss.total.item());
}

TEST_CASE("The features of a BetaVae are its means") {
  B::Context context{{.threads = 1}};
  Vae const model = small_vae(context, 1);
  auto const x = Pictures{3, 1}.tensor<B>(context);
  CHECK(model.latent_dims() == 4);
  auto const mean = model.encode(x);
  CHECK(mean.shape() == Shape{3, 4});
  CHECK(mean.values() == model.posterior(x).mean.values());
  CHECK(model.reconstruct(x).values() == model.decode(mean).values());
}

TEST_CASE("A BetaVae refuses an encoder without variances, and a beta below 0") {
  B::Context context{{.threads = 1}};
  auto const decoder = picture_decoder<B>(context, 4);
  CHECK_THROWS_WITH(
      (Vae{picture_encoder<B>(context, 4), decoder}),
      contains("BetaVae") && contains("8 dims") && contains("log variance") && contains("got 4 dims"));
  CHECK_THROWS_WITH((Vae{picture_encoder<B>(context, 8), decoder, {.beta = -1}}),
                    contains("BetaVae") && contains("beta of 0 or more") && contains("-1"));
  CHECK_THROWS_AS(
      (Vae{picture_encoder<B>(context, 8), decoder, {.beta = std::numeric_limits<double>::infinity()}}),
      ConfigError);
}

}  // namespace diffsiam::test
