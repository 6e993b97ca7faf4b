#include <limits>
#include <vector>

#include <tests/support/values.hpp>

#include <diffsiam/loss/feature_order.hpp>
#include <diffsiam/testing/gradient_check.hpp>

namespace diffsiam::test {
namespace {

using encoder::GradientMode;

auto const partition = encoder::TimestepPartition::uniform({.timesteps = 4, .subsets = 2, .dims = 2});

/// Gives the decoder of each window its weights of z_0, z_1 and the known feature, and its bias.
template <class B>
void set_decoders(loss::FeatureOrder<B> const& loss, std::vector<Values> const& values) {
  std::size_t at = 0;
  nn::for_each_leaf(loss, [&](auto const&, auto const& leaf) {
    if constexpr (requires { leaf.gradient(); }) leaf.value().assign(std::span<double const>{values[at++]});
  });
  REQUIRE(at == values.size());
}

}  // namespace

TEMPLATE_TEST_CASE("Decoders begin at zero: phi^2 and the price of z remain", "", backend::Reference<double>,
                   backend::Cpu<float>) {
  using B = TestType;
  Make<B> make;
  auto const z = make({2, 2}, {1, 2, 3, -1}), phi = make({2, 1}, {1, -2});
  std::vector<Tensor<B>> const known{make({2, 1}, {5, 5}), make({2, 1}, {0, 0})};
  // phi^2: (1 + 4)/2. |z|^2/2: (5 + 10)/4 = 3.75.
  loss::FeatureOrder<B> const stopped{make.context, {.partition = partition, .features = 1, .price = 0.1}};
  check_values(stopped(z, phi, known, Rng{}), {}, {2.5 + 0.375});
  // Subset 0 pays twice, being revealed in both windows, and subset 1 once: (2 + 4 + 18 + 1)/4 = 6.25.
  loss::FeatureOrder<B> const joint{
      make.context,
      {.partition = partition, .features = 1, .price = 0.1, .gradient_mode = GradientMode::joint}};
  check_values(joint(z, phi, known, Rng{}), {}, {2.5 + 0.625});
}

TEMPLATE_TEST_CASE("Each window sees its subsets with noise, and what is known there", "",
                   backend::Reference<double>, backend::Cpu<float>) {
  using B = TestType;
  Make<B> make;
  auto const z = make({1, 2}, {1, 2}), phi = make({1, 1}, {4});
  std::vector<Tensor<B>> const known{make({1, 1}, {3}), make({1, 1}, {-1})};
  Rng const rng{.seed = 4, .step = 9};
  auto const noise = diffusion::normal<B>(make.context, {1, 2}, rng).template values<double>();
  double const a = 1 + noise[0], b = 2 + noise[1];
  // Window 0 may not read z_1, whatever its weight.
  double const first = 4 - (0.5 * a + 2 * 3 + 0.1), second = 4 - (0.25 * a - b + 3 * -1 - 0.2);
  for (auto const mode : {GradientMode::stop_preceding, GradientMode::joint}) {
    loss::FeatureOrder<B> const loss{
        make.context, {.partition = partition, .features = 1, .price = 0, .gradient_mode = mode}};
    set_decoders(loss, {{0.5, 7, 2}, {0.1}, {0.25, -1, 3}, {-0.2}});
    check_values(loss(z, phi, known, rng), {}, {(first * first + second * second) / 2});
    Tape<B> tape{make.context};
    auto const variable = tape.variable(z);
    tape.backward(loss(variable, phi, known, rng));
    double const preceding = mode == GradientMode::joint ? -0.25 * second : 0;
    check_values(variable.gradient(), {1, 2}, {-0.5 * first + preceding, second});
  }
}

TEST_CASE("Gradients of z and of the decoders are those of differences", "[gradient]") {
  using B = backend::Reference<double>;
  Make<B> make;
  loss::FeatureOrder<B> const loss{
      make.context,
      {.partition = partition, .features = 3, .price = 0.2, .gradient_mode = GradientMode::joint}};
  auto const phi = make({2, 3}, {1, -2, 0.5, 3, 0, -1});
  std::vector<Tensor<B>> const known{make({2, 3}, {1, 1, 2, 0, 1, -1}), make({2, 3}, {0, 1, 0, 2, 0, 0})};
  auto const f = [&](auto const& z) { return loss(z, phi, known, Rng{.seed = 3}); };
  CHECK(testing::check_gradients<B>(make.context, f, {make({2, 2}, {1, 2, -0.5, 0.7})}, {}, loss).passed());
}

TEST_CASE("Features and windows that do not fit are refused") {
  using B = backend::Cpu<float>;
  Make<B> make;
  loss::FeatureOrder<B> const loss{make.context, {.partition = partition, .features = 1}};
  auto const z = make({1, 2}, {1, 2}), phi = make({1, 1}, {4});
  std::vector<Tensor<B>> const one{phi}, wide{phi, z};
  CHECK_THROWS_WITH(loss(z, phi, one, Rng{}), contains("FeatureOrder") && contains("2 windows"));
  CHECK_THROWS_WITH(loss(z, phi, wide, Rng{}), contains("each window"));
  CHECK_THROWS_AS(loss(phi, phi, one, Rng{}), ShapeError);
  using Loss = loss::FeatureOrder<B>;
  CHECK_THROWS_AS((Loss{make.context, {.partition = partition, .price = -1}}), ConfigError);
  CHECK_THROWS_AS((Loss{make.context, {.partition = partition, .gradient_mode = GradientMode::dual}}),
                  ConfigError);
}

}  // namespace diffsiam::test
