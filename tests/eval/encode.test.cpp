#include <numeric>
#include <vector>

#include <tests/support/catch.hpp>

#include <diffsiam/backend/reference/reference.hpp>
#include <diffsiam/eval/encode.hpp>

using namespace diffsiam;

namespace {

/// The pixels themselves.
struct Pixels {
  using Backend = backend::Reference<double>;
  std::vector<Index>* batches;
  [[nodiscard]] Tensor<Backend> operator()(Tensor<Backend> const& x) const {
    batches->push_back(x.shape().samples());
    return x.reshaped({x.shape().samples(), 4});
  }
};

}  // namespace

TEST_CASE("every picture of a set is encoded once, in order, the last batch short", "[eval][encode]") {
  std::vector<std::uint8_t> pixels(7 * 4);
  std::iota(pixels.begin(), pixels.end(), std::uint8_t{0});
  auto const pictures = data::Dataset::from(pixels, {7, 2, 2, 1});
  Pixels::Backend::Context context;
  std::vector<Index> batches;
  CHECK(eval::encode(context, Pixels{&batches}, pictures, 3) == pictures.units());
  CHECK(batches == std::vector<Index>{3, 3, 1});
  CHECK_THROWS_WITH(eval::encode(context, Pixels{&batches}, pictures, 0), test::contains("got 0"));
}
