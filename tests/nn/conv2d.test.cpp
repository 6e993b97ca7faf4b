#include <tests/nn/weights.hpp>

#include <diffsiam/nn/conv2d.hpp>

namespace diffsiam::test {

TEMPLATE_TEST_CASE("A convolution halves the side at stride 2, with a bias or without", "",
                   backend::Reference<double>, backend::Cpu<float>) {
  using B = TestType;
  Make<B> make;
  nn::Init<B> init{make.context, 1};
  auto const x = make({1, 2, 3, 1}, {1, 2, 3, 4, 5, 6});
  nn::Conv2d<B> const layer{init, {.in = 1, .out = 1, .stride = 2}};
  set_weights(layer, {{"weight", Values(9, 1)}, {"bias", {10}}});
  check_values(layer(x), {1, 1, 2, 1}, {1 + 2 + 4 + 5 + 10, 2 + 3 + 5 + 6 + 10});
  nn::Conv2d<B> const plain{init, {.in = 1, .out = 2, .kernel = 1, .bias = false}};
  CHECK(leaves_of(plain) == std::vector<std::pair<std::string, Shape>>{{"weight", {2, 1, 1, 1}}});
  set_weights(plain, {{"weight", {2, -1}}});
  check_values(plain(x), {1, 2, 3, 2}, {2, -1, 4, -2, 6, -3, 8, -4, 10, -5, 12, -6});
  CHECK_THROWS_WITH((nn::Conv2d<B>{init, {.in = 1, .out = 1, .kernel = 2}}), contains("an odd kernel"));
}

}  // namespace diffsiam::test
