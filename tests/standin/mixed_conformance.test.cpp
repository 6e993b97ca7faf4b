// The Cuda backend in 16 bits on the stand-in: the suite of every backend, with plans of cuDNN that write
// float32 from 16 bits and without them.
#include <array>
#include <cstddef>
#include <span>
#include <type_traits>
#include <vector>

#include <tests/conformance/check.hpp>
#include <tests/standin/device/dnn.hpp>

#include <diffsiam/backend/cuda.cuh>

namespace diffsiam::test {

namespace {

/// While it lives, cuDNN has plans that write float32 from 16 bits, or has none.
class Widening {
 public:
  explicit Widening(bool widens) { standin::dnn().widens = widens; }
  Widening(Widening const&) = delete;
  Widening& operator=(Widening const&) = delete;
  ~Widening() { standin::dnn().widens = true; }
};

/// Values of a convolution's output and of the gradient of its image, both in float32.
template <class C>
[[nodiscard]] std::array<std::vector<float>, 2> convolved(bool widens) {
  using B = backend::Cuda<C>;
  Widening const plans{widens};
  typename B::Context context;
  ConvGeometry const g{2, 5, 6, 5, 3, 3, 1};
  auto const drawn = [&](Shape const& shape, std::uint32_t stream) {
    auto const values = testing::draw(testing::Kind::normal, shape, {.seed = 5, .stream = stream});
    return Tensor<B>::from(context, shape, std::span<double const>(values));
  };
  Tensor<B> const x = drawn({2, 5, 6, 5}, 1), w = drawn({3, 3, 3, 5}, 2), dy = drawn({2, 5, 6, 3}, 3);
  Tensor<B> const y{context, {2, 5, 6, 3}}, dx = Tensor<B>::zeros(context, {2, 5, 6, 5});
  B::conv2d(context, g, x.data(), w.data(), nullptr, y.data());
  B::conv2d_gradient_input(context, g, dy.data(), w.data(), dx.data());
  CHECK(context.notes().size() == (widens ? 0 : 2));
  return {y.values(), dx.values()};
}

}  // namespace

TEMPLATE_TEST_CASE("The Cuda backend in 16 bits on the stand-in conforms to the reference", "[mixed]",
                   BFloat16, Half) {
  using B = backend::Cuda<TestType>;
  // How far rounding moves a value at most: half a unit in the last of 8 digits, or of 11.
  constexpr double rounding = std::is_same_v<TestType, Half> ? 0x1p-11 : 0x1p-8;
  bool const widens = GENERATE(true, false);
  Widening const plans{widens};
  typename B::Context context;
  auto comparisons = testing::run_conformance<B>(context);
  // The backend's tolerance allows for operands in bfloat16; errors of float16 and TF32 are an eighth.
  // Without such plans an output in float32 is rounded, too: the product of two values is then off by up to
  // three roundings, which in bfloat16 is more than 1e-2.
  for (testing::Comparison& comparison : comparisons)
    if (comparison.tolerance == B::operand_tolerance)
      comparison.tolerance = B::operand_tolerance * rounding / 0x1p-8 + (widens ? 0 : rounding);
  require_all(comparisons);
  CHECK(context.notes().empty() == widens);
}

TEMPLATE_TEST_CASE("Without plans that write float32, outputs are those of such plans, rounded once",
                   "[mixed]", BFloat16, Half) {
  auto const wide = convolved<TestType>(true), narrow = convolved<TestType>(false);
  for (std::size_t pass = 0; pass < 2; ++pass) {
    std::vector<float> rounded;
    for (float const value : wide[pass]) rounded.push_back(static_cast<float>(TestType(value)));
    CHECK(narrow[pass] == rounded);
    CHECK(narrow[pass] != wide[pass]);
  }
}

}  // namespace diffsiam::test
