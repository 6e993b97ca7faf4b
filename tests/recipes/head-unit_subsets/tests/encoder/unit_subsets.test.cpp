#include <cmath>

#include <tests/io/scratch.hpp>
#include <tests/support/catch.hpp>

#include <diffsiam/diffusion/noising.hpp>
#include <diffsiam/encoder/unit_subsets.hpp>
#include <diffsiam/io/model_file.hpp>
#include <diffsiam/testing/both_backends.hpp>

namespace diffsiam::test {

namespace {

using Backend = backend::Reference<double>;
using Encoder =
    encoder::ModularEncoder<Backend, encoder::ConvBackbone<Backend>, encoder::UnitSubsets<Backend>>;
static_assert(encoder::EncoderHead<encoder::UnitSubsets<Backend>, Backend>);

/// The 7 dims of z in three subsets.
encoder::TimestepPartition three_subsets() {
  return encoder::TimestepPartition::uniform({.timesteps = 12, .subsets = 3, .dims = 7});
}
Encoder small_encoder(Backend::Context& context, std::uint64_t seed) {
  return Encoder{
      context,
      {.backbone =
           {.in_channels = 1, .height = 4, .width = 4, .channels = {4}, .attention_after = -1, .groups = 2},
       .partition = three_subsets(),
       .seed = seed}};
}
Tensor<Backend> pictures(Backend::Context& context) {
  return diffusion::normal<Backend>(context, {2, 4, 4, 1}, {.seed = 1});
}

}  // namespace

TEST_CASE("Each subset of z has length 1") {
  Backend::Context context;
  auto const z = small_encoder(context, 1)(pictures(context));
  REQUIRE(z.shape() == Shape{2, 7});
  auto const values = z.values();
  auto const partition = three_subsets();
  for (int picture = 0; picture < 2; ++picture)
    for (int subset = 0; subset < 3; ++subset) {
      double squares = 0;
      for (int i = partition.begin(subset); i < partition.end(subset); ++i)
        squares += std::pow(values[static_cast<std::size_t>(7 * picture + i)], 2);
      CHECK(squares == Approx(1));
    }
}

TEST_CASE("The gradient of a head of unit subsets is right on Reference and on Cpu") {
  auto const tested =
      testing::module_case("UnitSubsets", {{3, 5}}, []<class T>(typename T::Context& context) {
        nn::Init<T> init{context, 1};
        return encoder::UnitSubsets<T>{init, 5, three_subsets(), {}};
      });
  CHECK(testing::check_gradients(tested).passed());
}

TEST_CASE("An encoder with a head of unit subsets is what its file describes") {
  Scratch const scratch;
  Backend::Context context;
  auto const saved = small_encoder(context, 2);
  save(scratch / "encoder.safetensors", saved);
  auto const loaded = load<Encoder>(context, scratch / "encoder.safetensors");
  CHECK(loaded(pictures(context)).values() == saved(pictures(context)).values());
  CHECK_THROWS_WITH(load<encoder::ModularEncoder<Backend>>(context, scratch / "encoder.safetensors"),
                    contains("unit_subsets") && contains("linear"));
}

}  // namespace diffsiam::test
