#include <tests/nn/weights.hpp>

#include <diffsiam/nn/linear.hpp>
#include <diffsiam/nn/sequential.hpp>

namespace diffsiam::test {

TEMPLATE_TEST_CASE("Sequential calls one after the other, and names children by their position", "",
                   backend::Reference<double>, backend::Cpu<float>) {
  using B = TestType;
  Make<B> make;
  nn::Init<B> init{make.context, 1};
  nn::Sequential const layers{nn::Linear<B>{init, {.in = 1, .out = 2}}, nn::ReluLayer{},
                              nn::Linear<B>{init, {.in = 2, .out = 1}}};
  set_weights(layers, {{"0.weight", {1, -1}}, {"0.bias", {0, 0}}, {"2.weight", {10, 100}}, {"2.bias", {1}}});
  check_values(layers(make({2, 1}, {2, -3})), {2, 1}, {21, 301});
}

}  // namespace diffsiam::test
