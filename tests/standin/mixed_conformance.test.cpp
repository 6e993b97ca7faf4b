// The Cuda backend in 16 bits on the stand-in: the suite of every backend, with plans of cuDNN that write
// float32 from 16 bits and without them.
#include <array>
#include <cstddef>
#include <span>
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

TEST_CASE("The Cuda backend in bfloat16 on the stand-in conforms to the reference", "[mixed]") {
  using B = backend::Cuda<BFloat16>;
  bool const widens = GENERATE(true, false);
  Widening const plans{widens};
  B::Context context;
  auto comparisons = testing::run_conformance<B>(context);
  // The tolerance allows for rounded operands. Without such plans an output in float32 is rounded, too: the
  // product of two values is then off by up to three roundings, 3 x 2^-8, which is more than 1e-2.
  if (!widens)
    for (testing::Comparison& comparison : comparisons)
      if (comparison.tolerance == B::operand_tolerance) comparison.tolerance += 0x1p-8;
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
