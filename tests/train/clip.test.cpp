#include <cmath>
#include <limits>
#include <vector>

#include <tests/support/catch.hpp>
#include <tests/train/small_net.hpp>

#include <diffsiam/backend/cpu/cpu.hpp>
#include <diffsiam/backend/reference/reference.hpp>
#include <diffsiam/testing/stepped_backend.hpp>
#include <diffsiam/train/clip.hpp>

using namespace diffsiam;
using namespace diffsiam::test;

TEMPLATE_TEST_CASE("Clipping scales all gradients to the norm asked for, and only larger ones",
                   "[train][clip]", backend::Reference<double>, backend::Cpu<float>,
                   testing::Stepped<float>) {
  using B = TestType;
  using T = typename B::Scalar;
  typename B::Context context;
  SmallNet<B> const net{context};
  auto const list = nn::parameters(net);
  double squares = 0;
  for (auto const& [name, parameter] : list.parameters) {
    parameter.gradient().assign(random_tensor<B>(context, parameter.shape(), Rng{5}));
    for (double g : parameter.gradient().template values<double>()) squares += g * g;
  }
  double const norm = std::sqrt(squares);
  CHECK(train::global_norm(list) == Approx(norm).epsilon(1e-6));

  auto const before = net.linear.gradient().values();
  CHECK(train::clip_by_norm(list, norm * 2) == Approx(norm).epsilon(1e-6));
  CHECK(net.linear.gradient().values() == before);
  CHECK(train::clip_by_norm(list, norm / 4) == Approx(norm).epsilon(1e-6));
  CHECK(train::global_norm(list) == Approx(norm / 4).epsilon(1e-5));
  CHECK(net.linear.gradient().values()[0] == Approx(before[0] / T(4)).epsilon(1e-5));

  net.linear.set_trainable(false);
  CHECK(train::global_norm(list) < norm / 4);
}

TEST_CASE("A gradient that is not finite is named, and nothing is scaled", "[train][clip]") {
  using B = backend::Reference<double>;
  B::Context context;
  SmallNet<B> const net{context};
  auto const list = nn::parameters(net);
  double const bad = GENERATE(std::numeric_limits<double>::quiet_NaN(), HUGE_VAL);
  net.conv.gradient().fill(10);
  net.beta.gradient().fill(bad);
  net.linear_bias.gradient().fill(bad);
  CHECK_THROWS_AS(train::clip_by_norm(list, 1), NumericError);
  CHECK_THROWS_WITH(train::clip_by_norm(list, 1), contains("'norm.bias'"));
  CHECK(net.conv.gradient().values()[0] == 10);
  CHECK_THROWS_WITH(train::clip_by_norm(list, 0), contains("max_norm") && contains("got 0"));
}

TEST_CASE("More parameters than one portion are all counted", "[train][clip]") {
  using B = backend::Cpu<float>;
  B::Context context;
  nn::ParameterList<B> list;
  for (int i = 0; i < 70; ++i) {
    OneWeight<B> const module{Parameter<B>(Tensor<B>::zeros(context, {2}))};
    module.weight.gradient().fill(1);
    list.add(module);
  }
  CHECK(train::global_norm(list) == Approx(std::sqrt(140.0)));
}

TEST_CASE("Squared norms whose sum overflows are refused like one that is not finite", "[train][clip]") {
  using B = backend::Reference<double>;
  B::Context context;
  SmallNet<B> const net{context};
  auto const list = nn::parameters(net);
  for (auto const& [name, parameter] : list.parameters) {
    std::vector<double> gradient(static_cast<std::size_t>(parameter.shape().size()));
    gradient.front() = 1.2e154;  // its square is 1.4e308
    parameter.gradient().assign(std::span<double const>{gradient});
  }
  CHECK_THROWS_WITH(train::global_norm(list), contains("squared norms whose sum is inf"));
}
