// Whatever is built on eps refuses a schedule that ends without a signal, before anything is computed.
#include <string>
#include <vector>

#include <tests/support/catch.hpp>
#include <tests/support/small_model.hpp>

#include <diffsiam/model/latent_diffusion.hpp>

using namespace diffsiam;
using diffsiam::test::contains;
using B = backend::Cpu<double>;

TEST_CASE("Models and losses of eps refuse zero terminal SNR where they are built, and name the way out") {
  B::Context context{{.threads = 1}};
  test::SmallModel<B> const small{context};
  auto const schedule = test::SmallModel<B>::schedule().with_zero_terminal_snr();
  auto const z = Tensor<B>::zeros(context, {2, 8});
  auto const refuses = [](std::string const& who) {
    return contains(
        who +
        ": expected a schedule whose SNR is above 0 at every step, got zero terminal SNR (abar = 0 at t = "
        "11); eps prediction and 1/sqrt(abar) have no meaning there: use v prediction or x_0 prediction");
  };
  CHECK_THROWS_AS((DiffSiam<B>{small.encoder, small.decoder, {.schedule = schedule}}), ConfigError);
  CHECK_THROWS_WITH((DiffSiam<B>{small.encoder, small.decoder, {.schedule = schedule}}), refuses("DiffSiam"));
  CHECK_THROWS_WITH(
      (model::GuidedNoise<ShiftDecoder<B>, B>{small.decoder, schedule, small.model.partition(), z}),
      refuses("GuidedNoise"));
  CHECK_THROWS_WITH(loss::Noise{schedule}, refuses("loss::Noise"));
  CHECK_THROWS_WITH(loss::ShiftedNoise{schedule}, refuses("loss::ShiftedNoise"));
  std::vector<float> const mean(4, 0), scale(4, 1);
  model::LatentStandardisation<B> const standardisation{context, mean, scale};
  model::LatentDenoiser<B> const denoiser{context, {.dims = 4, .hidden = 8, .layers = 2, .time_dims = 4}};
  CHECK_THROWS_WITH((model::LatentDiffusion<B>{denoiser, standardisation, {.schedule = schedule}}),
                    refuses("LatentDiffusion"));
}
