#include <cmath>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include <tests/support/catch.hpp>
#include <tests/train/small_net.hpp>

#include <diffsiam/backend/cpu/cpu.hpp>
#include <diffsiam/backend/reference/reference.hpp>
#include <diffsiam/train/adam.hpp>
#include <diffsiam/train/optimizer_group.hpp>
#include <diffsiam/train/sgd.hpp>

using namespace diffsiam;
using namespace diffsiam::test;

using Double = backend::Reference<double>;

namespace {

std::vector<double> const start{0.5, -1.5, 2.0, 0.0, -0.25};

double gradient_at(int step, std::size_t i) {
  return std::sin(1.7 * step + 0.9 * static_cast<double>(i)) + 0.1;
}

template <class B>
OneWeight<B> one_weight(typename B::Context& context, std::vector<double> const& values = start) {
  return {Parameter<B>(
      Tensor<B>::from(context, {static_cast<Index>(values.size())}, std::span<double const>(values)))};
}

/// The weights after `steps` steps.
template <class B, class O>
std::vector<double> after(O& optimizer, Parameter<B> const& weight, int steps) {
  for (int step = 1; step <= steps; ++step) {
    std::vector<double> gradient(start.size());
    for (std::size_t i = 0; i < gradient.size(); ++i) gradient[i] = gradient_at(step, i);
    weight.gradient().assign(std::span<double const>(gradient));
    optimizer.step();
    for (double value : weight.gradient().template values<double>()) CHECK(value == 0);
  }
  return weight.value().template values<double>();
}

/// torch.optim.Adam and AdamW, written from their documentation.
std::vector<double> expected_adam(bool decoupled, double rate, double decay, int steps) {
  double const beta1 = 0.8, beta2 = 0.99, epsilon = 1e-6;
  std::vector<double> w = start;
  for (std::size_t i = 0; i < w.size(); ++i) {
    double m = 0, v = 0;
    for (int t = 1; t <= steps; ++t) {
      double g = gradient_at(t, i);
      if (decoupled)
        w[i] -= rate * decay * w[i];
      else
        g += decay * w[i];
      m = beta1 * m + (1 - beta1) * g;
      v = beta2 * v + (1 - beta2) * g * g;
      double const m_hat = m / (1 - std::pow(beta1, t)), v_hat = v / (1 - std::pow(beta2, t));
      w[i] -= rate * m_hat / (std::sqrt(v_hat) + epsilon);
    }
  }
  return w;
}

/// torch.optim.SGD, likewise: the first velocity is the gradient itself.
std::vector<double> expected_sgd(double rate, double momentum, bool nesterov, double decay, int steps) {
  std::vector<double> w = start;
  for (std::size_t i = 0; i < w.size(); ++i) {
    double b = 0;
    for (int t = 1; t <= steps; ++t) {
      double g = gradient_at(t, i) + decay * w[i];
      if (momentum != 0) {
        b = t > 1 ? momentum * b + g : g;
        g = nesterov ? g + momentum * b : b;
      }
      w[i] -= rate * g;
    }
  }
  return w;
}

void check_close(std::vector<double> const& actual, std::vector<double> const& expected, double tolerance) {
  REQUIRE(actual.size() == expected.size());
  for (std::size_t i = 0; i < actual.size(); ++i) {
    INFO(i << ": " << actual[i] << " and " << expected[i]);
    CHECK(std::abs(actual[i] - expected[i]) < tolerance);
  }
}

template <class B>
constexpr double tolerance = std::is_same_v<typename B::Scalar, double> ? 1e-13 : 2e-6;

}  // namespace

TEMPLATE_TEST_CASE("Adam and AdamW move weights as torch.optim does", "[train][optimizer]",
                   backend::Reference<double>, backend::Cpu<float>) {
  using B = TestType;
  typename B::Context context;
  auto const module = one_weight<B>(context);
  double const decay = GENERATE(0.0, 0.1);
  SECTION("Adam: the decay joins the gradient") {
    train::Adam<B> adam{
        nn::parameters(module),
        {.learning_rate = 0.03, .beta1 = 0.8, .beta2 = 0.99, .epsilon = 1e-6, .weight_decay = decay}};
    check_close(after(adam, module.weight, 7), expected_adam(false, 0.03, decay, 7), tolerance<B>);
    CHECK(adam.steps() == 7);
  }
  SECTION("AdamW: the decay shrinks the weight") {
    train::AdamW<B> adam{
        nn::parameters(module),
        {.learning_rate = 0.03, .beta1 = 0.8, .beta2 = 0.99, .epsilon = 1e-6, .weight_decay = decay}};
    check_close(after(adam, module.weight, 7), expected_adam(true, 0.03, decay, 7), tolerance<B>);
  }
}

TEMPLATE_TEST_CASE("Sgd moves weights as torch.optim does", "[train][optimizer]", backend::Reference<double>,
                   backend::Cpu<float>) {
  using B = TestType;
  typename B::Context context;
  auto const module = one_weight<B>(context);
  double const decay = GENERATE(0.0, 0.1);
  double const momentum = GENERATE(0.0, 0.9);
  bool const nesterov = momentum > 0 && GENERATE(false, true);
  train::Sgd<B> sgd{
      nn::parameters(module),
      {.learning_rate = 0.05, .momentum = momentum, .nesterov = nesterov, .weight_decay = decay}};
  check_close(after(sgd, module.weight, 6), expected_sgd(0.05, momentum, nesterov, decay, 6), tolerance<B>);
  int states = 0;
  sgd.for_each_state([&](std::string const&, auto const&) { ++states; });
  CHECK(states == (momentum > 0 ? 1 : 0));
}

TEST_CASE("Adam's first step is the learning rate, whatever the size of the gradient", "[train][optimizer]") {
  Double::Context context;
  auto const module = one_weight<Double>(context, {1.0, 1.0});
  train::Adam<Double> adam{nn::parameters(module), {.learning_rate = 0.01}};
  module.weight.gradient().assign(std::span<double const>(std::vector<double>{1e-3, -1e5}));
  adam.step();
  check_close(module.weight.value().values(), {0.99, 1.01}, 1e-6);
}

TEST_CASE("A step commits what buffers propose and leaves frozen parameters alone", "[train][optimizer]") {
  Double::Context context;
  SmallNet<Double> const net{context};
  train::Adam<Double> adam{nn::parameters(net)};
  net.mean.proposal().fill(3);
  net.conv.gradient().fill(1);
  net.linear.gradient().fill(1);
  net.linear.set_trainable(false);
  auto const conv = net.conv.value().values(), linear = net.linear.value().values();
  CHECK(net.mean.value().values() == std::vector<double>(3, 0.0));
  adam.step();
  CHECK(net.mean.value().values() == std::vector<double>(3, 3.0));
  CHECK(net.variance.value().values() == std::vector<double>(3, 1.0));
  CHECK_FALSE(net.mean.proposed());
  CHECK(net.linear.value().values() == linear);
  CHECK(net.conv.value().values() != conv);
}

TEST_CASE("A factor scales one step, set_learning_rate all that follow", "[train][optimizer]") {
  Double::Context context;
  auto const module = one_weight<Double>(context, {0.0});
  train::Sgd<Double> sgd{nn::parameters(module), {.learning_rate = 0.5, .momentum = 0}};
  auto const moved = [&](double factor) {
    module.weight.value().fill(0);
    module.weight.gradient().fill(1);
    sgd.step(factor);
    return -module.weight.value().item();
  };
  CHECK(moved(1) == 0.5);
  CHECK(moved(0.5) == 0.25);
  sgd.set_learning_rate(2);
  CHECK(moved(0.5) == 1);
  CHECK_THROWS_WITH(sgd.set_learning_rate(std::nan("")), contains("Sgd") && contains("learning_rate"));
}

TEST_CASE("States carry the published names, twice given names told apart", "[train][optimizer]") {
  Double::Context context;
  auto const first = one_weight<Double>(context), second = one_weight<Double>(context);
  train::Adam<Double> const adam{nn::parameters(first, second)};
  std::vector<std::string> names;
  adam.for_each_state([&](std::string const& name, Tensor<Double> const&) { names.push_back(name); });
  CHECK(names == std::vector<std::string>{"first_moment.weight", "second_moment.weight",
                                          "first_moment.weight#2", "second_moment.weight#2"});
}

TEST_CASE("Wrong settings are refused by name and value", "[train][optimizer]") {
  Double::Context context;
  auto const module = one_weight<Double>(context);
  auto const list = nn::parameters(module);
  using Adam = train::Adam<Double>;
  using Sgd = train::Sgd<Double>;
  CHECK_THROWS_AS((Adam{list, {.learning_rate = -1}}), ConfigError);
  CHECK_THROWS_WITH((Adam{list, {.learning_rate = -1}}),
                    contains("Adam") && contains("learning_rate") && contains("-1"));
  CHECK_THROWS_WITH((Adam{list, {.learning_rate = HUGE_VAL}}), contains("learning_rate"));
  CHECK_THROWS_WITH((Adam{list, {.beta1 = 1}}), contains("beta1") && contains("[0, 1)") && contains("got 1"));
  CHECK_THROWS_WITH((Adam{list, {.beta2 = std::nan("")}}), contains("beta2") && contains("nan"));
  CHECK_THROWS_WITH((Adam{list, {.epsilon = -1e-8}}), contains("epsilon") && contains("-1e-08"));
  CHECK_THROWS_WITH((train::AdamW<Double>{list, {.weight_decay = -1}}),
                    contains("AdamW") && contains("weight_decay"));
  CHECK_THROWS_WITH((Sgd{list, {.momentum = 1.5}}),
                    contains("Sgd") && contains("momentum") && contains("1.5"));
  CHECK_THROWS_WITH((Sgd{list, {.momentum = 0, .nesterov = true}}), contains("nesterov"));
  nn::freeze(module);
  CHECK_THROWS_WITH((Sgd{nn::parameters(module)}), contains("frozen"));
}

TEST_CASE("Optimizers step together, each by its own schedule", "[train][optimizer]") {
  Double::Context context;
  auto const first = one_weight<Double>(context, {0.0}), second = one_weight<Double>(context, {0.0});
  train::Sgd<Double> a{nn::parameters(first), {.learning_rate = 1, .momentum = 0}};
  train::Sgd<Double> b{nn::parameters(second), {.learning_rate = 1, .momentum = 0.5}};
  train::Scheduled halving{b, [](std::uint64_t step) { return step == 0 ? 1.0 : 0.5; }};
  train::OptimizerGroup both{a, halving};
  static_assert(train::Optimizer<decltype(both)> && train::Optimizer<train::Adam<Double>>);
  CHECK(both.parameters().size() == 2);
  for (int step = 0; step < 2; ++step) {
    first.weight.gradient().fill(1);
    second.weight.gradient().fill(1);
    both.step(2);
  }
  CHECK(first.weight.value().item() == -4);
  CHECK(second.weight.value().item() == -2 - 1.5);
  CHECK(both.steps() == 2);
  std::vector<std::string> names;
  both.for_each_state([&](std::string const& name, auto const&) { names.push_back(name); });
  CHECK(names == std::vector<std::string>{"1.velocity.weight"});
  CHECK_THROWS_WITH((train::OptimizerGroup{a, a}), contains("OptimizerGroup") && contains("'weight' in two"));
}
