#include <tests/conformance/check.hpp>

#include <diffsiam/backend/cpu/cpu.hpp>
#include <diffsiam/compiled/cpu_bfloat16.hpp>
#include <diffsiam/diffusion/ddim.hpp>
#include <diffsiam/diffusion/ddpm.hpp>
#include <diffsiam/unet/unet.hpp>

namespace diffsiam::test {

namespace {

using B = backend::Cpu<float, BFloat16>;

Tensor<B> drawn(B::Context& context, Shape const& shape, std::uint64_t seed) {
  auto const values = testing::draw(testing::Kind::normal, shape, {.seed = seed});
  return Tensor<B>::from(context, shape, std::span<double const>(values));
}

}  // namespace

TEST_CASE("The Cpu backend with bfloat16 operands conforms to the reference", "[conformance]") {
  conforms<B>();
}

TEST_CASE("Activations of a bfloat16 network stay in bfloat16, and what leaves it is in full precision") {
  B::Context context{{.threads = 2}};
  auto const x = drawn(context, {2, 8, 8, 16}, 1), w = drawn(context, {32, 3, 3, 16}, 2);
  auto const y = ops::conv2d(x, w);
  CHECK_FALSE(x.is_low_precision());
  REQUIRE(y.is_low_precision());
  CHECK((y + y).is_low_precision());
  CHECK(ops::concat(y, y).is_low_precision());
  CHECK(ops::upsample_nearest(y).is_low_precision());
  CHECK(ops::downsample_mean(y).is_low_precision());
  auto const gamma = drawn(context, {32}, 3), beta = drawn(context, {32}, 4);
  CHECK(ops::group_norm<functional::Silu>(y, gamma, beta, 8).is_low_precision());
  CHECK(ops::conv2d(y, drawn(context, {16, 1, 1, 32}, 5)).is_low_precision());
  CHECK_FALSE(ops::conv2d(y, drawn(context, {3, 3, 3, 32}, 6)).is_low_precision());  // a picture
  CHECK_FALSE((y - y.full_precision()).is_low_precision());                          // a loss
  CHECK_FALSE(ops::global_average_pool(y).is_low_precision());                       // features
  CHECK_FALSE(ops::linear(ops::global_average_pool(y), drawn(context, {64, 32}, 7)).is_low_precision());
}

TEST_CASE("A tensor in low precision is read and written as any other, but for its data") {
  B::Context context{{.threads = 2}};
  auto const full = drawn(context, {4, 3, 5, 7}, 1);
  auto const low = Tensor<B>::low_precision(context, full.shape());
  low.assign(full);
  auto const values = full.values(), rounded = low.values();
  for (std::size_t i = 0; i < values.size(); ++i)
    CHECK(rounded[i] == static_cast<float>(BFloat16(values[i])));
  CHECK(low.full_precision().values() == rounded);
  CHECK(low.clone().is_low_precision());
  CHECK(low.clone().values() == rounded);
  CHECK(low.samples(1, 3).values() ==
        std::vector<float>(rounded.begin() + 3 * 5 * 7, rounded.begin() + 3 * 3 * 5 * 7));
  CHECK(low.reshaped({4, 105}).values() == rounded);
  low.samples(3, 4).fill(0.5F);
  CHECK(low.samples(3, 4).reshaped({105}).samples(104, 105).item() == 0.5F);
  low.assign(std::span<float const>(values));
  CHECK(low.values() == rounded);
  full.assign(low);
  CHECK(full.values() == rounded);
  REQUIRE_THROWS_WITH(low.data(), contains("Tensor::data") && contains("full_precision"));
}

TEST_CASE("Samplers hand on pictures in full where the network's outputs are in low precision") {
  B::Context context{{.threads = 1}};
  unet::UNet<B> const denoiser{context,
                               {.in_channels = 16,
                                .base_channels = 16,
                                .multipliers = {1, 2},
                                .blocks_per_level = 1,
                                .attention_factors = {},
                                .groups = 8}};
  auto const x_T = drawn(context, {1, 8, 8, 16}, 1);
  REQUIRE(denoiser(x_T, Tensor<B>::filled(context, {1}, 3)).is_low_precision());
  auto const schedule = diffusion::NoiseSchedule::linear(4, 0.1, 0.4);
  diffusion::PlainNoise const predict{denoiser, schedule};
  auto const low = Tensor<B>::low_precision(context, x_T.shape());
  low.assign(x_T);
  for (auto const& start : {x_T, low}) {
    CHECK_FALSE(diffusion::ddpm_sample<B>(schedule, start, predict).is_low_precision());
    CHECK_FALSE(diffusion::ddim_sample<B>(schedule, diffusion::TimeGrid::linspace(4, 2), start, predict)
                    .is_low_precision());
  }
}

TEST_CASE("Between the passes a bfloat16 tape holds little more than half of what a float32 tape holds") {
  auto const held = []<class S>(S) {
    typename S::Context context{{.threads = 1}};
    unet::UNet<S> const denoiser{context,
                                 {.in_channels = 1,
                                  .base_channels = 32,
                                  .multipliers = {1, 2, 2},
                                  .blocks_per_level = 1,
                                  .attention_factors = {},
                                  .groups = 8}};
    auto const x = Tensor<S>::filled(context, {4, 16, 16, 1}, 0.5F), t = Tensor<S>::filled(context, {4}, 3);
    for (auto const& entry : nn::parameters(denoiser).parameters)
      static_cast<void>(entry.parameter.gradient());  // allocated at first use
    std::size_t const before = context.memory().live_bytes();
    Tape<S> tape{context};
    auto const y = denoiser(tape.input(x), t);
    return static_cast<double>(context.memory().live_bytes() - before);
  };
  CHECK(held(B{}) < 0.6 * held(backend::Cpu<float>{}));
}

}  // namespace diffsiam::test
