// What a UNet refuses, and in which words.
#include <tests/support/catch.hpp>

#include <diffsiam/backend/cpu.hpp>
#include <diffsiam/diffsiam.hpp>

using namespace diffsiam;
using diffsiam::test::contains;
using B = backend::Cpu<float>;

namespace {

unet::Config good() {
  return {.in_channels = 1,
          .base_channels = 8,
          .multipliers = {1, 2, 2},
          .blocks_per_level = 1,
          .attention_factors = {4},
          .groups = 4};
}

}  // namespace

TEST_CASE("Sizes that cannot be built are refused where the network is made") {
  B::Context context{{.threads = 1}};
  CHECK_NOTHROW(UNet<B>{context, good()});
  auto const refused = [&](auto change) {
    unet::Config config = good();
    change(config);
    try {
      UNet<B> const network{context, config};
    } catch (ConfigError const& error) {
      return std::string(error.what());
    }
    return std::string("nothing was refused");
  };
  CHECK_THAT(refused([](auto& c) { c.groups = 3; }),
             contains("UNet") && contains("divide into 3 groups") && contains("8 channels at level 0"));
  CHECK_THAT(refused([](auto& c) { c.multipliers = {}; }),
             contains("at least one multiplier") && contains("0 multipliers"));
  CHECK_THAT(refused([](auto& c) { c.base_channels = 7; }), contains("even base_channels") && contains("7"));
  CHECK_THAT(refused([](auto& c) { c.heads = 3; }),
             contains("divide into heads") && contains("16 channels, 3 heads"));
  CHECK_THAT(refused([](auto& c) { c.attention_factors = {8}; }),
             contains("attention factors among 1, 2, ... 4") && contains("8"));
  CHECK_THAT(refused([](auto& c) { c.multipliers = {1, Index{1} << 60}; }),
             contains("at most 1048576 channels") && contains("8 x 1152921504606846976 at level 1"));
  CHECK_THAT(refused([](auto& c) { c.base_channels = Index{1} << 40; }),
             contains("at most 1048576 channels"));
  CHECK_THAT(refused([](auto& c) { c.multipliers = std::vector<Index>(70, 1); }),
             contains("at most 32 levels, got 70"));
  CHECK_THAT(refused([](auto& c) { c.dropout = 1; }), contains("Dropout: expected 0 <= p < 1"));
}

TEST_CASE("Images that the levels cannot halve, and wrong time-steps, are refused at the door") {
  B::Context context{{.threads = 1}};
  UNet<B> const network{context, good()};
  auto const run = [&](Shape const& x, Shape const& t) {
    return network(Tensor<B>::zeros(context, x), Tensor<B>::zeros(context, t));
  };
  CHECK(run({2, 8, 12, 1}, {2}).shape() == Shape{2, 8, 12, 1});
  CHECK_THROWS_WITH(run({2, 8, 10, 1}, {2}), contains("multiples of 4") && contains("(2, 8, 10, 1)") &&
                                                 contains("3 levels halve a side 2 times"));
  CHECK_THROWS_WITH(run({2, 8, 8, 3}, {2}), contains("1 channels") && contains("(2, 8, 8, 3)"));
  CHECK_THROWS_WITH(run({2, 1, 8, 8}, {2}), contains("(2, 1, 8, 8)") && contains("NHWC, (n, h, w, c)"));
  CHECK_THROWS_WITH(run({2, 8, 8, 1}, {3}), contains("one time-step a sample"));
  CHECK_THROWS_WITH(run({2, 64, 1}, {2}), contains("rank 4"));
}

TEST_CASE("Sides at which a group of channels would hold a single value are refused at the door") {
  B::Context context{{.threads = 1}};
  auto config = good();
  config.groups = 8;
  config.multipliers = {1, 1, 2};
  UNet<B> const network{context, config};
  auto const run = [&](Index h, Index w) {
    return network(Tensor<B>::zeros(context, {2, h, w, 1}), Tensor<B>::zeros(context, {2}));
  };
  CHECK_THROWS_AS(run(4, 4), ShapeError);
  CHECK_THROWS_WITH(run(4, 4),
                    contains("UNet: expected sides that leave two values or more in each of 8 groups") &&
                        contains("(2, 4, 4, 1)") && contains("level 2 has 8 channels at 1 x 1"));
  CHECK(run(4, 8).shape() == Shape{2, 4, 8, 1});
  CHECK_THROWS_WITH(
      (model::LatentDenoiser<B>{context, {.dims = 2, .hidden = 1, .layers = 2, .time_dims = 4}}),
      contains("LatentDenoiser") && contains("at least two wide"));
}

TEST_CASE("A decoder refuses a latent of another width; a model refuses parts that do not fit") {
  B::Context context{{.threads = 1}};
  UNet<B> const denoiser{context, good()};
  ShiftDecoder<B> const decoder{context, denoiser, {.latent_dims = 8}};
  auto const images = Tensor<B>::zeros(context, {2, 8, 8, 1}), t = Tensor<B>::zeros(context, {2});
  CHECK_THROWS_WITH(decoder(images, t, Tensor<B>::zeros(context, {2, 9})),
                    contains("ShiftDecoder: expected (2, 8), got (2, 9)"));

  auto const encoder = [&](int timesteps, int dims) {
    return ModularEncoder<B>{
        context,
        {.backbone =
             {.in_channels = 1, .height = 8, .width = 8, .channels = {8}, .attention_after = -1, .groups = 4},
         .partition = TimestepPartition::uniform({.timesteps = timesteps, .subsets = 2, .dims = dims})}};
  };
  CHECK_NOTHROW(DiffSiam<B>{encoder(1000, 8), decoder});
  CHECK_THROWS_WITH((DiffSiam<B>{encoder(1000, 6), decoder}), contains("8 dims") && contains("6 dims"));
  CHECK_THROWS_WITH((DiffSiam<B>{encoder(500, 8), decoder}), contains("1000 time-steps") && contains("500"));
  CHECK_THROWS_WITH(encoder(1000, 8)(Tensor<B>::zeros(context, {2, 8, 9, 1})),
                    contains("ConvBackbone") && contains("(2, 8, 9, 1)"));
  CHECK_THROWS_WITH(
      encoder(1000, 8)(Tensor<B>::zeros(context, {2, 1, 8, 8})),
      contains("ConvBackbone: expected (2, 8, 8, 1), got (2, 1, 8, 8)") && contains("NCHW, (n, c, h, w)"));
}

TEST_CASE("A time-step outside the schedule is refused") {
  B::Context context{{.threads = 1}};
  auto const schedule = NoiseSchedule::linear();
  auto const image = Tensor<B>::zeros(context, {1, 8, 8, 1});
  auto const at = [&](float t) {
    return add_noise(schedule, image, Tensor<B>::filled(context, {1}, t), image);
  };
  CHECK_NOTHROW(at(999));
  CHECK_THROWS_WITH(at(1000), contains("[0, 1000)") && contains("1000"));
  CHECK_THROWS_WITH(at(-1), contains("-1"));
  CHECK_THROWS_WITH(at(0.5F), contains("integer time-steps"));
  auto const partition = TimestepPartition::uniform({.timesteps = 1000, .subsets = 2, .dims = 4});
  CHECK_THROWS_AS(reveal(partition, Tensor<B>::zeros(context, {1, 4}), Tensor<B>::filled(context, {1}, 1000)),
                  RangeError);
}
