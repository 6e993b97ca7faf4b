#include <tests/nn/weights.hpp>

#include <diffsiam/nn/attention.hpp>

namespace diffsiam::test {

TEMPLATE_TEST_CASE("Self-attention adds to x what its heads mix", "", backend::Reference<double>,
                   backend::Cpu<float>) {
  using B = TestType;
  Make<B> make;
  nn::Init<B> init{make.context, 1};
  nn::SelfAttention<B> const layer{init, {.channels = 2, .groups = 1}};
  auto const x = make({1, 1, 2, 2}, {1, 2, 3, 4});
  check_values(layer(x), {1, 1, 2, 2}, {1, 2, 3, 4});  // the projection starts at zero
  // q and k are 0, so that all positions weigh the same; v = (5, 7) everywhere.
  set_weights(layer, {{"norm.weight", {1, 1}},
                      {"norm.bias", {0, 0}},
                      {"qkv.weight", Values(12, 0)},
                      {"qkv.bias", {0, 0, 0, 0, 5, 7}},
                      {"projection.weight", {0, 1, 10, 0}},
                      {"projection.bias", {0.5, 0}}});
  check_values(layer(x), {1, 1, 2, 2}, {1 + 7 + 0.5, 2 + 50, 3 + 7 + 0.5, 4 + 50});
  CHECK_THROWS_WITH((nn::SelfAttention<B>{init, {.channels = 4, .heads = 3, .groups = 1}}),
                    contains("3 heads"));
}

}  // namespace diffsiam::test
