#include <tests/support/values.hpp>

#include <diffsiam/ops/conv2d.hpp>

namespace diffsiam::test {

TEMPLATE_TEST_CASE("conv2d adds bias, pads with zeros, and does not flip the kernel", "",
                   backend::Reference<double>, backend::Cpu<float>) {
  using B = TestType;
  Make<B> make;
  auto const x = make({1, 2, 3, 1}, {1, 2, 3, 4, 5, 6});
  auto const w = make({1, 3, 3, 1}, {1, 2, 3, 4, 5, 6, 7, 8, 9});
  check_values(ops::conv2d(x, w, make({1}, {100})), {1, 2, 3, 1}, {194, 254, 206, 158, 191, 158});
  check_values(ops::conv2d(x, w, {.stride = 2}), {1, 1, 2, 1}, {94, 106});
}

TEMPLATE_TEST_CASE("conv2d weights are (out, kh, kw, in)", "", backend::Reference<double>,
                   backend::Cpu<float>) {
  using B = TestType;
  Make<B> make;
  auto const x = make({1, 1, 1, 2}, {10, 1});
  check_values(ops::conv2d(x, make({2, 1, 1, 2}, {1, 2, 3, 4})), {1, 1, 1, 2}, {12, 34});
}

}  // namespace diffsiam::test
