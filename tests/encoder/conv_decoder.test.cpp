#include <cmath>
#include <vector>

#include <tests/support/catch.hpp>

#include <diffsiam/backend/cpu/cpu.hpp>
#include <diffsiam/encoder/conv_decoder.hpp>
#include <diffsiam/nn/summary.hpp>

namespace diffsiam::test {

using B = backend::Cpu<float>;
using Decoder = encoder::ConvDecoder<B>;

TEST_CASE("A decoder makes pictures of exactly the size it is asked for") {
  B::Context context{{.threads = 1}};
  for (Index side : {1, 2, 5, 7, 28, 31, 32, 33}) {
    Decoder const decoder{context,
                          {.channels = 3,
                           .height = side,
                           .width = side + 3,
                           .widths = {2, 4, 6},
                           .latent_dims = 5,
                           .groups = 2}};
    INFO("side " << side);
    CHECK(decoder(Tensor<B>::filled(context, {2, 5}, 1)).shape() == Shape{2, side, side + 3, 3});
  }
}

TEST_CASE("A decoder mirrors the widths and sides of a backbone") {
  B::Context context{{.threads = 1}};
  auto const config = Decoder::Config::mirror_of(encoder::ConvBackbone<B>::Config::for_small(), 64);
  auto const summary = nn::summary(Decoder{context, config}, Shape{1, 64});
  CHECK(summary.output == Shape{1, 28, 28, 1});
  // 28 -> 14 -> 7 -> 4: the linear layer makes 4 x 4 x 128; then norms and convolutions 128 -> 64 -> 32 -> 1.
  Index const linear = 65 * 4 * 4 * 128, norms = 2 * (128 + 64 + 32);
  Index const convolutions = 9 * (128 * 64 + 64 * 32 + 32) + 64 + 32 + 1;
  CHECK(summary.parameters == linear + norms + convolutions);
}

TEST_CASE("Where a side is odd the last row and column of the doubled image are left out") {
  // One stage, one channel; all but the linear layer's bias is 0 and the convolution passes its centre on.
  B::Context context{{.threads = 1}};
  Decoder const decoder{
      context, {.channels = 1, .height = 3, .width = 3, .widths = {1}, .latent_dims = 1, .groups = 1}};
  std::vector<float> const linear_bias{1, 2, 3, 4}, centre{0, 0, 0, 0, 1, 0, 0, 0, 0};
  nn::for_each_leaf(decoder, [&](nn::LeafName const& leaf, auto const& parameter) {
    parameter.value().fill(leaf.name == "stage_0.norm.weight" ? 1.0F : 0.0F);
    if (leaf.name == "linear.bias") parameter.value().assign(std::span{linear_bias});
    if (leaf.name == "stage_0.conv.weight") parameter.value().assign(std::span{centre});
  });
  auto const y = decoder(Tensor<B>::filled(context, {1, 1}, 1)).values();
  auto const value = [](double x) {
    double const normalised = (x - 2.5) / std::sqrt(1.25 + 1e-5);
    return Approx(normalised / (1 + std::exp(-normalised))).epsilon(1e-5);
  };
  double const expected[] = {1, 1, 2, 1, 1, 2, 3, 3, 4};
  REQUIRE(y.size() == 9);
  for (std::size_t i = 0; i < 9; ++i) CHECK(static_cast<double>(y[i]) == value(expected[i]));
}

TEST_CASE("A decoder refuses what it cannot be and what it cannot read") {
  B::Context context{{.threads = 1}};
  CHECK_THROWS_AS((Decoder{context, {.widths = {}}}), ConfigError);
  CHECK_THROWS_AS((Decoder{context, {.height = 0}}), ConfigError);
  CHECK_THROWS_AS((Decoder{context, {.channels = 0}}), ConfigError);
  CHECK_THROWS_WITH((Decoder{context, {.latent_dims = 0}}),
                    contains("ConvDecoder") && contains("positive") && contains("0 latent dims"));
  CHECK_THROWS_WITH((Decoder{context, {.widths = {32, 48}}}),
                    contains("GroupNorm") && contains("48 channels"));
  CHECK_THROWS_WITH((Decoder{context, {.widths = {-32}}}), contains("Linear") && contains("positive"));
  Decoder const decoder{context, {.height = 4, .width = 4, .widths = {32}, .latent_dims = 5}};
  CHECK_THROWS_WITH(decoder(Tensor<B>::zeros(context, {2, 6})),
                    contains("ConvDecoder") && contains("(2, 5)") && contains("(2, 6)"));
}

}  // namespace diffsiam::test
