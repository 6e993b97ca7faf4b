#include <cmath>

#include <tests/nn/weights.hpp>

#include <diffsiam/nn/time_embedding.hpp>

namespace diffsiam::test {

TEMPLATE_TEST_CASE("The embedding of a time-step is two layers over its sinusoids", "",
                   backend::Reference<double>, backend::Cpu<float>) {
  using B = TestType;
  Make<B> make;
  nn::Init<B> init{make.context, 1};
  nn::TimeEmbedding<B> const layer{init, {.dims = 2, .width = 1}};
  set_weights(layer,
              {{"first.weight", {2, 7}}, {"first.bias", {1}}, {"second.weight", {10}}, {"second.bias", {5}}});
  auto const silu = [](double v) { return v / (1 + std::exp(-v)); };
  // cos t, sin t
  check_values(layer(make({2}, {0, 3})), {2, 1},
               {10 * silu(3) + 5, 10 * silu(2 * std::cos(3.0) + 7 * std::sin(3.0) + 1) + 5});
}

}  // namespace diffsiam::test
