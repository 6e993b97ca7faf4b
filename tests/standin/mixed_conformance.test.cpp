// The Cuda backend in 16 bits on the stand-in: the suite of every backend, with plans of cuDNN that write
// float32 from 16 bits and without them.
#include <array>
#include <cstddef>
#include <span>
#include <type_traits>
#include <vector>

#include <tests/conformance/check.hpp>
#include <tests/standin/device/device.hpp>
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
  // three roundings, and the sum with what was there may be smaller than the product.
  for (testing::Comparison& comparison : comparisons)
    if (comparison.tolerance == B::operand_tolerance)
      comparison.tolerance = B::operand_tolerance * rounding / 0x1p-8 + (widens ? 0 : 2 * rounding);
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

TEST_CASE("A bias in 16 bits is added within the convolution, where cuDNN has a plan", "[mixed]") {
  using B = backend::Cuda<BFloat16>;
  bool const is_low = GENERATE(true, false), widens = GENERATE(true, false);
  Index const kernel = GENERATE(1, 3);  // cuBLASLt adds a bias, too, but not to an output in 16 bits
  Widening const plans{widens};
  B::Context context;
  Shape const image{1, 4, 4, 16};
  auto const x = Tensor<B>::low_precision(context, image);
  x.fill(1);
  auto const w = Tensor<B>::filled(context, {16, kernel, kernel, 16}, 0.25F);
  std::vector<double> steps(16);
  for (std::size_t i = 0; i < steps.size(); ++i) steps[i] = static_cast<double>(i);
  auto const bias = Tensor<B>::from(context, {16}, std::span<double const>(steps));
  Tensor<B> const y = is_low ? Tensor<B>::low_precision(context, image) : Tensor<B>{context, image};
  auto const convolve = [&] {
    B::conv2d(context, {1, 4, 4, 16, 16, kernel, 1}, x.storage(), w.data(), bias.data(), y.storage());
  };
  convolve();  // plans are timed
  auto const before = standin::device().launches;
  convolve();
  // The weights are rounded. Without a plan, the output is also widened, and the bias added.
  bool const fused = is_low || widens || kernel == 1;
  CHECK(standin::device().launches - before == (fused ? 2 : 4));
  CHECK(context.notes().size() == (fused ? 0 : 2));
  auto const values = y.full_precision().values();
  for (std::size_t i = 0; i < 16; ++i)
    CHECK(values[5 * 16 + i] == static_cast<double>(kernel * kernel * 4) + steps[i]);
}

TEST_CASE("The gradient of an image in 16 bits is added to an earlier one", "[mixed]") {
  using B = backend::Cuda<BFloat16>;
  Index const kernel = GENERATE(1, 3);
  B::Context context;
  Shape const image{1, 4, 4, 16};
  auto const dy = Tensor<B>::low_precision(context, image),
             earlier = Tensor<B>::low_precision(context, image),
             dx = Tensor<B>::low_precision(context, image);
  dy.fill(1);
  earlier.fill(3);
  auto const w = Tensor<B>::filled(context, {16, kernel, kernel, 16}, 0.25F);
  auto const add = [&] {
    B::conv2d_gradient_input(context, {1, 4, 4, 16, 16, kernel, 1}, dy.storage(), w.data(), dx.storage(),
                             earlier.storage());
  };
  add();  // plans are timed
  auto const before = standin::device().launches;
  add();
  // The weights are rounded. A product adds in the same kernel.
  CHECK(standin::device().launches - before == (kernel == 1 ? 2 : 3));
  CHECK(dx.full_precision().values()[5 * 16] == static_cast<float>(kernel * kernel) * 16 * 0.25F + 3);
  CHECK(earlier.full_precision().values()[5 * 16] == 3);
}

TEST_CASE("Weights that are rounded together are not rounded in each call", "[mixed]") {
  using B = backend::Cuda<BFloat16>;
  B::Context context;
  auto const x = Tensor<B>::low_precision(context, {1, 4, 4, 16}),
             y = Tensor<B>::low_precision(context, {1, 4, 4, 16});
  x.fill(1);
  auto const w = Tensor<B>::filled(context, {16, 3, 3, 16}, 0.25F);
  auto const launches_of_a_call = [&] {
    auto const before = standin::device().launches;
    B::conv2d(context, {1, 4, 4, 16, 16, 3, 1}, x.storage(), w.data(), nullptr, y.storage());
    CHECK(y.full_precision().values()[5 * 16] == 9 * 16 * w.values()[0]);
    return standin::device().launches - before - 1;  // full_precision() takes one
  };
  (void)launches_of_a_call();  // plans are timed
  CHECK(launches_of_a_call() == 2);
  {
    auto const rounded = B::round_weights(context, std::array{TensorValues<float>{w.data(), w.size()}});
    CHECK(launches_of_a_call() == 1);
  }
  w.fill(0.5F);
  CHECK(launches_of_a_call() == 2);
}

}  // namespace diffsiam::test
