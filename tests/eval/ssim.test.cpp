#include <cmath>
#include <vector>

#include <tests/support/catch.hpp>

#include <diffsiam/eval/ssim.hpp>

using namespace diffsiam;
using namespace diffsiam::eval;
using test::Approx;
using test::contains;

using Floats = std::vector<float>;

TEST_CASE("SSIM of constants is known, of equal pictures one, and each channel counts") {
  Shape const shape{2, 12, 13, 3};
  Floats a(static_cast<std::size_t>(shape.size()));
  for (std::size_t i = 0; i < a.size(); ++i) a[i] = static_cast<float>((i * 37) % 101) / 101.0F;
  REQUIRE(ssim(a, a, shape) == Approx(1));
  REQUIRE(ssim(a, a, shape, SsimBorder::zero) == Approx(1));

  Floats const low(a.size(), 0.25F), high(a.size(), 0.75F);
  double const luminance = (2 * 0.25 * 0.75 + 1e-4) / (0.0625 + 0.5625 + 1e-4);
  REQUIRE(ssim(low, high, shape) == Approx(luminance));
  REQUIRE(ssim(low, high, shape, SsimBorder::zero) != Approx(luminance));

  Floats b = a;
  for (std::size_t i = 1; i < b.size(); i += 3) b[i] = 1 - b[i];  // one channel of three inverted
  double const third = ssim(a, b, shape);
  REQUIRE(third < 0.67);
  REQUIRE(third > 0.3);
  REQUIRE_THROWS_WITH(ssim(a, a, {1, 12, 13, 3}),
                      contains("ssim: expected two times 468 values") && contains("936"));
  REQUIRE_THROWS_WITH(ssim(Floats(100), Floats(100), {1, 10, 10, 1}),
                      contains("11 x 11") && contains("(1, 10, 10, 1)"));
}

TEST_CASE("SSIM refuses what is no picture on [0, 1]") {
  REQUIRE_THROWS_WITH(ssim(Floats{NAN}, Floats{0}, {1, 1, 1, 1}, SsimBorder::zero), contains("on [0, 1]"));
  REQUIRE_THROWS_AS(ssim(Floats{1e20F}, Floats{0}, {1, 1, 1, 1}, SsimBorder::zero), RangeError);
  REQUIRE(ssim(Floats{0.5F}, Floats{0.5F}, {1, 1, 1, 1}, SsimBorder::zero) == Approx(1));
}
