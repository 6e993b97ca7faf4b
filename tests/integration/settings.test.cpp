// A model that computes something else than the one that was saved is refused, though every shape fits.
#include <string>
#include <vector>

#include <tests/io/scratch.hpp>
#include <tests/support/catch.hpp>

#include <diffsiam/backend/cpu.hpp>
#include <diffsiam/diffsiam.hpp>
#include <diffsiam/encoder/conv_decoder.hpp>
#include <diffsiam/io/published_weights.hpp>
#include <diffsiam/model/classifier.hpp>
#include <diffsiam/model/latent_diffusion.hpp>
#include <diffsiam/train/checkpoint.hpp>
#include <diffsiam/train/sgd.hpp>
#include <diffsiam/train/step.hpp>

using namespace diffsiam;

namespace {

using B = backend::Cpu<float>;

struct Settings {
  int subsets = 8;
  Index groups = 8;
  NoiseSchedule schedule = NoiseSchedule::linear(12, 0.01, 0.3);
};

ModularEncoder<B> encoder_of(B::Context& context, Settings const& settings) {
  auto const partition =
      TimestepPartition::uniform({.timesteps = 12, .subsets = settings.subsets, .dims = 8});
  return {context,
          {.backbone = {.in_channels = 1,
                        .height = 8,
                        .width = 8,
                        .channels = {8, 8},
                        .attention_after = -1,
                        .groups = settings.groups},
           .partition = partition}};
}

DiffSiam<B> model_of(B::Context& context, Settings const& settings) {
  UNet<B> const denoiser{context,
                         {.in_channels = 1,
                          .base_channels = 8,
                          .multipliers = {1, 2},
                          .blocks_per_level = 1,
                          .attention_factors = {2},
                          .groups = settings.groups}};
  return {encoder_of(context, settings),
          ShiftDecoder<B>{context, denoiser, {.latent_dims = 8}},
          {.schedule = settings.schedule}};
}

}  // namespace

TEST_CASE("A DiffSiam loads into one of the same settings and into no other", "[integration][settings]") {
  test::Scratch const scratch;
  B::Context context;
  io::save_weights(scratch / "model", model_of(context, {}));
  auto const refusal = [&](Settings const& settings) {
    auto const other = model_of(context, settings);
    return test::message_of<ConfigError>([&] { io::load_weights(scratch / "model", other); });
  };
  CHECK(refusal({}) == "");
  std::string const both = refusal({.subsets = 1, .groups = 4});
  CHECK_THAT(both, test::contains("subsets = 1 in place of 8"));
  CHECK_THAT(both, test::contains("groups = 4 in place of 8 in 'encoder.encoder.1' and "));
  CHECK_THAT(refusal({.schedule = NoiseSchedule::linear(12, 0.01, 0.2)}),
             test::contains("betas[1] = ") && test::contains(" in place of "));

  // Of its encoder alone, as programs that want features read it.
  CHECK_NOTHROW(io::load_weights(scratch / "model", encoder_of(context, {}), "encoder."));
  CHECK_THROWS_WITH(io::load_weights(scratch / "model", encoder_of(context, {.subsets = 4}), "encoder."),
                    test::contains("subsets = 4 in place of 8 in 'encoder'"));
}

TEST_CASE("Other models are told apart by what their shapes do not show", "[integration][settings]") {
  test::Scratch const scratch;
  B::Context context;
  auto const refusal = [&](auto const& saved, auto const& other) {
    io::save_weights(scratch / "model", saved);
    CHECK(test::message_of<ConfigError>([&] { io::load_weights(scratch / "model", saved); }) == "");
    return test::message_of<ConfigError>([&] { io::load_weights(scratch / "model", other); });
  };
  SECTION("classes of the heads of a classifier") {
    auto const encoder = encoder_of(context, {});
    model::Classifier<B> const saved{context, encoder, {.classes = {2, 3}}};
    model::Classifier<B> const other{context, encoder, {.classes = {3, 2}}};
    CHECK_THAT(refusal(saved, other), test::contains("classes[0] = 3 in place of 2"));
  }
  SECTION("schedule and standardisation of a latent model") {
    model::LatentDenoiser<B> const denoiser{context, {.dims = 2, .hidden = 4, .layers = 2, .time_dims = 4}};
    std::vector<float> const mean{1, 2}, scale{1, 3}, other_scale{1, 4};
    auto const latent = [&](std::vector<float> const& scales, int timesteps) {
      return model::LatentDiffusion<B>{
          denoiser, {context, mean, scales}, {.schedule = NoiseSchedule::constant(timesteps)}};
    };
    CHECK_THAT(refusal(latent(scale, 10), latent(other_scale, 20)),
               test::contains("betas = 20 numbers in place of 10 numbers") &&
                   test::contains("scale[1] = 4.0 in place of 3.0"));
  }
  SECTION("sides that a decoder crops to") {
    encoder::ConvDecoder<B>::Config config{
        .channels = 1, .height = 7, .width = 8, .widths = {4, 4}, .latent_dims = 2, .groups = 2};
    encoder::ConvDecoder<B> const saved{context, config};
    config.height = 8;
    CHECK_THAT(refusal(saved, encoder::ConvDecoder<B>{context, config}),
               test::contains("height = 8 in place of 7"));
  }
}

TEST_CASE("A checkpoint compares the settings of its modules", "[integration][settings]") {
  test::Scratch const scratch;
  B::Context context;
  nn::Init<B> init{context, 1};
  train::Checkpoint const checkpoint{scratch / "run"};
  nn::GroupNorm<B> const saved{init, {.channels = 8, .groups = 4}}, other{init, {.channels = 8, .groups = 2}};
  train::Sgd<B> sgd{parameters(saved)}, other_sgd{parameters(other)};
  train::TrainStep step{sgd}, other_step{other_sgd};
  checkpoint.save(step, {}, saved);
  CHECK_NOTHROW(checkpoint.load(step, saved));
  CHECK_THROWS_WITH(checkpoint.load(other_step, other),
                    test::contains("groups = 2 in place of 4 in 'model'"));
}
