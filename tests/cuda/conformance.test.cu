#include <vector>

#include <tests/conformance/check.hpp>

#include <diffsiam/backend/cuda.cuh>

namespace diffsiam::test {

TEMPLATE_TEST_CASE("The Cuda backend conforms to the reference", "[conformance]", float,
                   backend::cuda::TF32) {
  using B = backend::Cuda<TestType>;
  typename B::Context context;
  require_all(testing::run_conformance<B>(context));
}

TEMPLATE_TEST_CASE("Empty batches compute nothing, and sums of no terms are zero", "[conformance]", float,
                   BFloat16) {
  using B = backend::Cuda<TestType>;
  typename B::Context context;
  auto const none = Tensor<B>::zeros(context, {0, 8, 8, 16});
  auto const weights = Tensor<B>::filled(context, {16, 3, 3, 16}, 0.5F);
  auto const gradient = Tensor<B>::filled(context, {16, 3, 3, 16}, 3.0F);
  CHECK(ops::conv2d(none, weights).shape() == Shape{0, 8, 8, 16});
  B::conv2d_gradient_weight(context, {0, 8, 8, 16, 16, 3, 1}, none.data(), none.data(), gradient.data());
  CHECK(gradient.values() == std::vector<float>(16 * 9 * 16, 3.0F));
  CHECK((none + none).values().empty());
  Gemm<float> product;
  product.m = 2;
  product.n = 3;
  product.c.data = gradient.data();
  product.c.leading = 4;
  product.accumulate = true;
  B::gemm(context, product);
  CHECK(gradient.values() == std::vector<float>(16 * 9 * 16, 3.0F));
  product.accumulate = false;
  B::gemm(context, product);
  auto const values = gradient.values();
  CHECK(std::vector<float>(values.begin(), values.begin() + 8) == std::vector<float>{0, 0, 0, 3, 0, 0, 0, 3});
  context.synchronise();
}

}  // namespace diffsiam::test
