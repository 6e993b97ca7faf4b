#include <cmath>
#include <cstdint>
#include <string>
#include <type_traits>
#include <vector>

#include <tests/support/catch.hpp>
#include <tests/support/optimizers.hpp>
#include <tests/train/small_net.hpp>

#include <diffsiam/backend/cpu/cpu.hpp>
#include <diffsiam/backend/reference/reference.hpp>
#include <diffsiam/train/adam.hpp>
#include <diffsiam/train/ema.hpp>
#include <diffsiam/train/optimizer_group.hpp>
#include <diffsiam/train/sgd.hpp>
#include <diffsiam/train/step.hpp>

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

namespace {

/// Weights, buffers, averages and states after five steps of two networks. `run(list of the first, list of
/// the second, use)` calls use(optimizer) with an optimizer of both. The average is of a part of the first,
/// all of the second, and of a weight that nobody moves, in another order.
template <class B, class Run>
std::vector<typename B::Scalar> after_five_steps(bool apart, Run const& run) {
  typename B::Context context;
  SmallNet<B> const first{context, 1, 40}, second{context, 2};
  OneWeight<B> const resting{Parameter<B>(Tensor<B>::filled(context, {3}, 1))};
  auto averaged = nn::parameters(second, resting, first);
  averaged.parameters.pop_back();
  train::Ema<B> ema{averaged, {.decay = 0.3}};  // reached after three updates
  resting.weight.value().fill(2);
  std::vector<typename B::Scalar> result;
  auto const add = [&](Tensor<B> const& tensor) {
    auto const values = tensor.values();
    result.insert(result.end(), values.begin(), values.end());
  };
  auto const step_five_times = [&](auto& optimizer) {
    nn::set_trainable(OneWeight<B>{second.gamma}, false);
    train::TrainStep step{optimizer, {}, train::Warmup{3}, &ema};
    for (int i = 0; i < 5; ++i)
      step([&](Tape<B>& tape, train::MicroBatch const& at) {
        SmallBatch<B> const batch{context, at.step};
        auto const x = tape.input(batch.x);
        return squared_error(first(x), batch.target) + squared_error(second(x), batch.target);
      });
    optimizer.for_each_state([&](std::string const&, auto const& state) { add(state); });
  };
  run(nn::parameters(first), nn::parameters(second), [&](auto& optimizer) {
    if (apart) {
      WholeSteps<std::remove_reference_t<decltype(optimizer)>> separate{optimizer};
      step_five_times(separate);
    } else {
      step_five_times(optimizer);
    }
  });
  for (auto const* net : {&first, &second}) {
    auto const values = all_values<B>(*net);
    result.insert(result.end(), values.begin(), values.end());
  }
  ema.for_each_state([&](std::string const&, auto const& state, auto const&) { add(state); });
  return result;
}

template <class B, class Run>
void check_one_pass(Run const& run) {
  auto const together = after_five_steps<B>(false, run);
  for (auto value : together) REQUIRE(std::isfinite(value));
  CHECK(together == after_five_steps<B>(true, run));
}

}  // namespace

TEMPLATE_TEST_CASE("Averages that move with the weights are those of a pass of their own, bit for bit",
                   "[train][ema]", backend::Reference<double>, backend::Cpu<float>) {
  using B = TestType;
  SECTION("Adam") {
    check_one_pass<B>([](auto const& first, auto const& second, auto const& use) {
      train::Adam<B> adam{joined(first, second), {.learning_rate = 0.01, .weight_decay = 0.1}};
      use(adam);
    });
  }
  SECTION("AdamW") {
    check_one_pass<B>([](auto const& first, auto const& second, auto const& use) {
      train::AdamW<B> adam{joined(first, second), {.learning_rate = 0.01}};
      use(adam);
    });
  }
  SECTION("Sgd, with and without a memory") {
    double const momentum = GENERATE(0.0, 0.9);
    check_one_pass<B>([&](auto const& first, auto const& second, auto const& use) {
      train::Sgd<B> sgd{joined(first, second), {.momentum = momentum, .weight_decay = 0.1}};
      use(sgd);
    });
  }
  SECTION("OptimizerGroup, Scheduled, and one that cannot") {
    bool const capable = GENERATE(true, false);
    check_one_pass<B>([&](auto const& first, auto const& second, auto const& use) {
      train::Adam<B> adam{first, {.learning_rate = 0.01}};
      train::Sgd<B> sgd{second};
      train::Scheduled halving{sgd, [](std::uint64_t step) { return step == 0 ? 1.0 : 0.5; }};
      if (capable) {
        train::OptimizerGroup both{adam, halving};
        use(both);
      } else {
        WholeSteps<train::Adam<B>> incapable{adam};
        train::OptimizerGroup both{incapable, halving};
        use(both);
      }
    });
  }
}

TEST_CASE("An average is taken over once an update, and whoever takes it moves it", "[train][ema]") {
  using B = backend::Reference<double>;
  B::Context context;
  SmallNet<B> const net{context}, stranger{context};
  train::Ema<B> ema{nn::parameters(net)};
  auto const before = net.conv.value().values();
  net.conv.value().fill(7);
  net.gamma.value().fill(11);
  ema.begin_update();
  CHECK(ema.fused_average(net.linear) != nullptr);
  Tensor<B> const* const average = ema.fused_average(net.conv);
  REQUIRE(average != nullptr);
  CHECK(ema.fused_average(net.conv) == nullptr);
  CHECK(ema.fused_average(stranger.conv) == nullptr);
  ema.end_update();
  CHECK(average->values() == before);  // taken over, and left where it was
  ema.for_each_state([&](std::string const& name, auto const& state, auto const&) {
    if (name == "net.1.weight") CHECK(state.values()[0] == Approx(0.1 * 1 + 0.9 * 11));
  });
  CHECK(ema.updates() == 1);
  {
    train::Ema<B>::Scope const scope{ema};
    CHECK_THROWS_WITH(ema.begin_update(), contains("Ema::update") && contains("Scope"));
  }
  ema.begin_update();
  CHECK(ema.fused_average(net.conv) == average);
}

TEST_CASE("A decay outside [0, 1) is refused", "[train][ema]") {
  using B = backend::Reference<double>;
  B::Context context;
  SmallNet<B> const net{context};
  CHECK_THROWS_AS((train::Ema<B>{nn::parameters(net), {.decay = 1}}), ConfigError);
  CHECK_THROWS_WITH((train::Ema<B>{nn::parameters(net), {.decay = -0.5}}),
                    contains("decay") && contains("-0.5"));
}
