#include <cmath>

#include <tests/nn/weights.hpp>

#include <diffsiam/nn/group_norm.hpp>

namespace diffsiam::test {

TEMPLATE_TEST_CASE("GroupNorm and LayerNorm scale and shift what they normalised", "",
                   backend::Reference<double>, backend::Cpu<float>) {
  using B = TestType;
  Make<B> make;
  nn::Init<B> init{make.context, 1};
  double const a = 1 / std::sqrt(5);  // of 1 3 5 7
  nn::GroupNorm<B, functional::Relu> const group{init, {.channels = 2, .groups = 1, .epsilon = 0}};
  set_weights(group, {{"weight", {1, 2}}, {"bias", {0, 1}}});
  auto const x = make({1, 1, 2, 2}, {1, 3, 5, 7});
  check_values(group(x), {1, 1, 2, 2}, {0, 1 - 2 * a, a, 1 + 6 * a});
  // (1 + s) u + b before the activation
  check_values(group(x, make({1, 4}, {1, 0, 10, -1})), {1, 1, 2, 2}, {10 - 6 * a, 0, 10 + 2 * a, 6 * a});
  nn::LayerNorm<B> const layer{init, {.channels = 2, .epsilon = 0}};
  check_values(layer(make({2, 2}, {1, 3, 10, 30})), {2, 2}, {-1, 1, -1, 1});
  CHECK_THROWS_WITH((nn::GroupNorm<B>{init, {.channels = 6, .groups = 4}}), contains("divide into 4 groups"));
  CHECK_THROWS_AS((nn::LayerNorm<B>{init, {.channels = 1}}), ConfigError);
  CHECK_THROWS_WITH(nn::require_values_in_groups("Model", "stage 2", 8, 8, 1, 1), contains("stage 2"));
  CHECK_NOTHROW(nn::require_values_in_groups("Model", "stage 2", 8, 4, 1, 1));
}

}  // namespace diffsiam::test
