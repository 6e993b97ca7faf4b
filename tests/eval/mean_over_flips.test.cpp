#include <cstdint>
#include <vector>

#include <tests/support/catch.hpp>

#include <diffsiam/eval/mean_over_flips.hpp>

using namespace diffsiam;

TEST_CASE("Features are averaged over a picture and its mirror image", "[eval]") {
  std::vector<std::uint8_t> const pixels{0, 255, 10, 30, 1, 2, 200, 100};
  auto const pictures = data::Dataset::from(pixels, {2, 2, 2, 1});
  // The first pixel of each picture twice, and its square.
  auto const features = [](data::Dataset const& part) {
    std::vector<float> values;
    for (Index i = 0; i < part.size(); ++i)
      for (float const x = part.pixels(i)[0]; float const value : {x, x * x}) values.push_back(value);
    return values;
  };
  CHECK(eval::mean_over_flips(pictures, features) == std::vector<float>{127.5F, 32512.5F, 1.5F, 2.5F});
}
