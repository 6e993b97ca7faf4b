// Codes of one-step reconstructions, with an encoder that returns the pixels and denoisers whose answer is
// known.
#include <vector>

#include <tests/support/catch.hpp>

#include <diffsiam/backend/cpu.hpp>
#include <diffsiam/eval/denoised_codes.hpp>

using namespace diffsiam;
using B = backend::Cpu<float>;
using Catch::Matchers::WithinAbs;
using test::contains;

namespace {

struct FirstPixels {
  using Backend = B;
  Tensor<B> operator()(Tensor<B> const& x) const { return x.reshaped({x.shape().samples(), 4}); }
};

auto const schedule = diffusion::NoiseSchedule::linear();
std::vector<int> const steps{100, 900};

data::Dataset pictures() {
  std::vector<std::uint8_t> bytes;
  for (int i = 0; i < 5 * 4; ++i) bytes.push_back(static_cast<std::uint8_t>(13 * i));
  return data::Dataset::from(bytes, {5, 2, 2, 1});
}

}  // namespace

TEST_CASE("A denoiser that sees no noise returns what it is given, clipped") {
  B::Context context{{.threads = 1}};
  auto const none = [](Tensor<B> const& x, Tensor<B> const&, diffusion::SamplerStep) {
    return Tensor<B>::zeros(x.context(), x.shape());
  };
  auto const codes =
      eval::denoised_codes(context, FirstPixels{}, none, schedule, pictures(), steps, {.batch = 2});
  REQUIRE(codes.size() == 2);
  CHECK(codes[0].t == 100);
  CHECK(codes[1].t == 900);
  REQUIRE(codes[0].values.size() == 20);
  // x_t/sqrt(abar): at t = 900 nearly all of it is beyond the range of pictures.
  int clipped = 0;
  for (float const value : codes[1].values) clipped += value == 1 || value == -1 ? 1 : 0;
  CHECK(clipped >= 17);
  for (float const value : codes[0].values) CHECK((value >= -1 && value <= 1));
}

TEST_CASE("A denoiser that knows the pictures leaves them as they are") {
  B::Context context{{.threads = 1}};
  auto const clean = data::to_tensor<B>(context, pictures());
  struct Knowing {
    Tensor<B> clean;
    [[nodiscard]] diffusion::PredictionTarget target() const { return diffusion::PredictionTarget::x_0; }
    Tensor<B> operator()(Tensor<B> const&, Tensor<B> const&, diffusion::SamplerStep) const { return clean; }
  };
  auto const codes =
      eval::denoised_codes(context, FirstPixels{}, Knowing{clean}, schedule, pictures(), steps);
  auto const expected = clean.values();
  for (auto const& at : codes)
    for (std::size_t i = 0; i < expected.size(); ++i) CHECK_THAT(at.values[i], WithinAbs(expected[i], 1e-5));
}

TEST_CASE("Noise is another one for each step and batch, and the same for the same seed") {
  B::Context context{{.threads = 1}};
  auto const none = [](Tensor<B> const& x, Tensor<B> const&, diffusion::SamplerStep) {
    return Tensor<B>::zeros(x.context(), x.shape());
  };
  std::vector<int> const near{1, 2};
  auto const of = [&](std::uint64_t seed) {
    return eval::denoised_codes(context, FirstPixels{}, none, schedule, pictures(), near,
                                {.rng = {.seed = seed}});
  };
  auto const codes = of(1), again = of(1), other = of(2);
  CHECK(codes[0].values == again[0].values);
  CHECK(codes[0].values != other[0].values);
  CHECK(codes[0].values != codes[1].values);
  CHECK_THROWS_WITH(
      eval::denoised_codes(context, FirstPixels{}, none, schedule, pictures(), std::vector<int>{}, {}),
      contains("denoised_codes") && contains("one time-step"));
  CHECK_THROWS_AS(
      eval::denoised_codes(context, FirstPixels{}, none, schedule, pictures(), std::vector<int>{1000}, {}),
      RangeError);
  CHECK_THROWS_AS(
      eval::denoised_codes(context, FirstPixels{}, none, schedule, pictures(), near, {.batch = 0}),
      ConfigError);
}
