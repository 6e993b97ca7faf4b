// Cuda<BFloat16> and Cuda<Half>: the suite of every backend, and what is served in place of a plan.
#include <tests/conformance/check.hpp>

#include <diffsiam/backend/cuda.cuh>

namespace diffsiam::test {

TEMPLATE_TEST_CASE("The Cuda backend in 16 bits conforms to the reference", "[conformance]", BFloat16, Half) {
  using B = backend::Cuda<TestType>;
  typename B::Context context;
  require_all(testing::run_conformance<B>(context));
  // Said once a shape.
  auto const notes = context.notes().size();
  require_all(testing::run_conformance<B>(context));
  CHECK(context.notes().size() == notes);
}

TEMPLATE_TEST_CASE("Activations on the device stay in low precision, and what leaves is in full",
                   "[conformance]", BFloat16, Half) {
  using B = backend::Cuda<TestType>;
  typename B::Context context;
  auto const x = Tensor<B>::filled(context, {2, 8, 8, 16}, 0.25F);
  auto const y = ops::conv2d(x, Tensor<B>::filled(context, {32, 3, 3, 16}, 0.5F));
  REQUIRE(y.is_low_precision());
  CHECK((y + y).is_low_precision());
  CHECK_FALSE(ops::conv2d(y, Tensor<B>::filled(context, {3, 3, 3, 32}, 0.1F)).is_low_precision());
  CHECK(y.values()[(8 + 1) * 32] == 0.25F * 0.5F * 9 * 16);  // whole in 8 bits of mantissa
}

}  // namespace diffsiam::test
