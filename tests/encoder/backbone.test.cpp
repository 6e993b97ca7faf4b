// A group of a single value is normalised to 0, whatever the picture: networks of such groups are not built.
#include <tests/support/catch.hpp>

#include <diffsiam/backend/cpu/cpu.hpp>
#include <diffsiam/encoder/conv_decoder.hpp>
#include <diffsiam/encoder/modular_encoder.hpp>
#include <diffsiam/value/plain.hpp>

namespace diffsiam::test {

using B = backend::Cpu<float>;

namespace {

encoder::ConvBackbone<B>::Config small_pictures() {
  return {.in_channels = 1,
          .height = 8,
          .width = 8,
          .channels = {32, 32, 32},
          .attention_after = -1,
          .groups = 32};
}

encoder::ModularEncoder<B> encoder_of(B::Context& context, encoder::ConvBackbone<B>::Config const& backbone) {
  return {context,
          {.backbone = backbone,
           .partition = encoder::TimestepPartition::uniform({.timesteps = 10, .subsets = 2, .dims = 4})}};
}

}  // namespace

TEST_CASE("A backbone whose last groups would hold one value is refused where it is built, with the stage") {
  B::Context context{{.threads = 1}};
  CHECK_THROWS_AS(encoder_of(context, small_pictures()), ConfigError);
  CHECK_THROWS_WITH(
      encoder_of(context, small_pictures()),
      contains("ConvBackbone: expected two values or more in each group of channels at stage 2") &&
          contains("32 channels in 32 groups at 1 x 1") && contains("fewer groups"));
  // Half as many groups, larger pictures, or a stage less are taken, and two pictures give two z.
  auto fewer_groups = small_pictures(), larger = small_pictures(), fewer_stages = small_pictures();
  fewer_groups.groups = 16;
  larger.width = 9;
  fewer_stages.channels = {32, 32};
  for (auto const& config : {fewer_groups, larger, fewer_stages}) {
    auto const encoder = encoder_of(context, config);
    Tensor<B> const pictures{context, {2, config.height, config.width, 1}};
    B::normal(context, {.seed = 1}, pictures.data(), pictures.size());
    auto const z = encoder(pictures);
    CHECK(z.samples(0, 1).values() != z.samples(1, 2).values());
  }
}

TEST_CASE("A decoder whose first groups would hold one value is refused where it is built, with the stage") {
  B::Context context{{.threads = 1}};
  auto const config = encoder::ConvDecoder<B>::Config::mirror_of(small_pictures(), 4);
  CHECK_THROWS_AS((encoder::ConvDecoder<B>{context, config}), ConfigError);
  CHECK_THROWS_WITH((encoder::ConvDecoder<B>{context, config}),
                    contains("ConvDecoder: expected two values or more") && contains("at stage 0") &&
                        contains("32 channels in 32 groups at 1 x 1"));
}

}  // namespace diffsiam::test
