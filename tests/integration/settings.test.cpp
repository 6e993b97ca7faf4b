// A model that computes something else than the one that was saved is refused, though every shape fits.
#include <string>

#include <tests/io/scratch.hpp>
#include <tests/support/catch.hpp>

#include <diffsiam/backend/cpu.hpp>
#include <diffsiam/diffsiam.hpp>
#include <diffsiam/io/published_weights.hpp>

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
