// Batches without a picture, which the libraries of CUDA refuse: results are empty, and gradients are zero.
#include <vector>

#include <tests/standin/device/device.hpp>
#include <tests/support/catch.hpp>

#include <diffsiam/backend/cuda.cuh>
#include <diffsiam/tensor/tensor.hpp>

namespace diffsiam::test {

TEMPLATE_TEST_CASE("A convolution of no picture is empty and changes no gradient", "[empty]", float,
                   BFloat16) {
  using B = backend::Cuda<TestType>;
  standin::device().restart();
  Index const kernel = GENERATE(1, 3);
  typename B::Context context;
  ConvGeometry const g{0, 4, 4, 8, 8, kernel, 1};
  auto const x = Tensor<B>::filled(context, {0, 4, 4, 8}, 1.0F),
             w = Tensor<B>::filled(context, {8, g.depth()}, 2.0F);
  B::conv2d(context, g, x.data(), w.data(), nullptr, x.data());
  B::conv2d_gradient_input(context, g, x.data(), w.data(), x.data());
  B::conv2d_gradient_weight(context, g, x.data(), x.data(), w.data());
  CHECK(w.values() == std::vector<float>(static_cast<std::size_t>(8 * g.depth()), 2.0F));
}

TEST_CASE("A product over nothing is zero, or its bias, or changes nothing", "[empty]") {
  using B = backend::Cuda<float>;
  standin::device().restart();
  B::Context context;
  auto const bias = Tensor<B>::filled(context, {2}, 3.0F), c = Tensor<B>::filled(context, {3, 2}, 7.0F);
  auto const none = Tensor<B>::filled(context, {0}, 0.0F);
  Gemm<float> g{.m = 3, .n = 2, .k = 0, .a = {none.data(), 1}, .b = {none.data(), 2}, .c = {c.data(), 2}};
  g.accumulate = true;
  B::gemm(context, g);
  CHECK(c.values() == std::vector<float>(6, 7.0F));
  g.accumulate = false;
  B::gemm(context, g);
  CHECK(c.values() == std::vector<float>(6, 0.0F));
  B::gemm_with_bias(context, g, bias.data());
  CHECK(c.values() == std::vector<float>(6, 3.0F));
  g.batch_inner = 0;
  CHECK_NOTHROW(B::gemm(context, g));
}

}  // namespace diffsiam::test
