#include <cmath>

#include <tests/nn/weights.hpp>

#include <diffsiam/nn/batch_norm.hpp>

namespace diffsiam::test {

TEMPLATE_TEST_CASE("BatchNorm proposes running statistics in training and uses them elsewhere", "",
                   backend::Reference<double>, backend::Cpu<float>) {
  using B = TestType;
  Make<B> make;
  nn::Init<B> init{make.context, 1};
  nn::BatchNorm<B> const layer{init, {.channels = 1, .epsilon = 0}};
  set_weights(layer, {{"weight", {2}}, {"bias", {1}}});
  auto const x = make({4, 1}, {1, 3, 5, 7});
  check_values(layer(x), {4, 1}, {3, 7, 11, 15});  // mean 0, variance 1
  double const r = 1 / std::sqrt(5);
  Tape<B> tape{make.context};
  check_values(layer(tape.input(x)).value(), {4, 1}, {1 - 6 * r, 1 - 2 * r, 1 + 2 * r, 1 + 6 * r});
  check_values(layer(x), {4, 1}, {3, 7, 11, 15});  // nothing is committed
  nn::for_each_leaf(layer, [](nn::LeafName const&, auto const& leaf) {
    if constexpr (requires { leaf.commit(); }) leaf.commit();
  });
  // Mean .1 4, variance .9 + .1 20/3.
  double const deviation = std::sqrt(0.9 + 2 / 3.0);
  check_values(layer(make({1, 1}, {0.4 + deviation})), {1, 1}, {3});
}

}  // namespace diffsiam::test
