#include <tests/nn/weights.hpp>

#include <diffsiam/nn/linear.hpp>

namespace diffsiam::test {

TEMPLATE_TEST_CASE("A linear layer is x w^T + b", "", backend::Reference<double>, backend::Cpu<float>) {
  using B = TestType;
  Make<B> make;
  nn::Init<B> init{make.context, 1};
  nn::Linear<B> const layer{init, {.in = 2, .out = 3}};
  CHECK(leaves_of(layer) == std::vector<std::pair<std::string, Shape>>{{"weight", {3, 2}}, {"bias", {3}}});
  set_weights(layer, {{"weight", {1, 2, 3, 4, 5, 6}}, {"bias", {7, 8, 9}}});
  check_values(layer(make({1, 2}, {10, 1})), {1, 3}, {19, 42, 65});
  check_values(nn::Linear<B>{init, {.in = 2, .out = 2, .zero = true}}(make({1, 2}, {3, 4})), {1, 2}, {0, 0});
  CHECK_THROWS_WITH((nn::Linear<B>{init, {.in = 0, .out = 2}}), contains("Linear") && contains("0 -> 2"));
}

}  // namespace diffsiam::test
