#include <vector>

#include <tests/support/catch.hpp>
#include <tests/train/small_net.hpp>

#include <diffsiam/backend/cpu/cpu.hpp>
#include <diffsiam/backend/reference/reference.hpp>
#include <diffsiam/train/ema.hpp>

using namespace diffsiam;
using namespace diffsiam::test;

TEMPLATE_TEST_CASE("Ema follows its formula and stands in the model for a scope", "[train][ema]",
                   backend::Reference<double>, backend::Cpu<float>) {
  using B = TestType;
  using T = typename B::Scalar;
  typename B::Context context;
  OneWeight<B> const module{Parameter<B>(Tensor<B>::filled(context, {3}, T(1)))};
  train::Ema<B> ema{nn::parameters(module), {.decay = 0.3}};
  double expected = 1;
  for (int n = 0; n < 8; ++n) {
    auto const weight = static_cast<T>(n * n);
    module.weight.value().fill(weight);
    ema.update();
    double const decay = std::min(0.3, (1.0 + n) / (10.0 + n));
    expected = decay * expected + (1 - decay) * static_cast<double>(weight);
  }
  CHECK(ema.updates() == 8);
  module.weight.value().fill(T(0.1));
  {
    typename train::Ema<B>::Scope const scope{ema};
    for (T value : module.weight.value().values()) CHECK(value == Approx(expected).epsilon(1e-6));
    CHECK_THROWS_WITH(ema.update(), contains("Ema::update") && contains("Scope"));
    CHECK_THROWS_AS((typename train::Ema<B>::Scope{ema}), Error);
  }
  for (T value : module.weight.value().values()) CHECK(value == T(0.1));
}

TEST_CASE("A scope gives back the weights and buffers bit for bit, after an exception too", "[train][ema]") {
  using B = backend::Cpu<float>;
  B::Context context;
  SmallNet<B> const net{context};
  train::Ema<B> ema{nn::parameters(net)};
  net.conv.value().fill(0.3F);
  net.mean.value().fill(5);
  ema.update();
  net.mean.value().fill(6);
  auto const before = all_values<B>(net);
  try {
    train::Ema<B>::Scope const scope{ema};
    CHECK(all_values<B>(net) != before);
    CHECK(net.mean.value().values()[0] == 5);
    throw 1;
  } catch (int) {
  }
  CHECK(all_values<B>(net) == before);
}

TEST_CASE("A decay outside [0, 1) is refused", "[train][ema]") {
  using B = backend::Reference<double>;
  B::Context context;
  SmallNet<B> const net{context};
  CHECK_THROWS_AS((train::Ema<B>{nn::parameters(net), {.decay = 1}}), ConfigError);
  CHECK_THROWS_WITH((train::Ema<B>{nn::parameters(net), {.decay = -0.5}}),
                    contains("decay") && contains("-0.5"));
}
