#include <cmath>

#include <tests/nn/weights.hpp>

#include <diffsiam/nn/modulation.hpp>

namespace diffsiam::test {

TEMPLATE_TEST_CASE("Modulations are read off embeddings, of time and of z after it", "",
                   backend::Reference<double>, backend::Cpu<float>) {
  using B = TestType;
  Make<B> make;
  nn::Init<B> init{make.context, 1};
  auto const nothing = make({1, 1}, {0});  // silu(0) = 0: the biases alone
  nn::TimeModulation<B> const time{init, 1, 1};
  set_weights(time, {{"time.weight", {1, 2}}, {"time.bias", {3, 4}}});
  check_values(time(nothing), {1, 2}, {3, 4});
  double const silu = 1 / (1 + std::exp(-1));
  check_values(time(make({1, 1}, {1})), {1, 2}, {3 + silu, 4 + 2 * silu});
  nn::ShiftModulation<B> const both{init, 1, 1};
  set_weights(
      both,
      {{"time.weight", {0, 0}}, {"time.bias", {1, 3}}, {"latent.weight", {0, 0}}, {"latent.bias", {0.5, 4}}});
  // (1 + .5)((1 + 1) u + 3) + 4 = (1 + 2) u + 8.5
  check_values(both(nothing, nothing), {1, 2}, {2, 8.5});
}

}  // namespace diffsiam::test
