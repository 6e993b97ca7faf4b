#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include <tests/support/catch.hpp>
#include <tests/support/optimizers.hpp>
#include <tests/train/small_net.hpp>

#include <diffsiam/backend/cpu/cpu.hpp>
#include <diffsiam/backend/reference/reference.hpp>
#include <diffsiam/train/adam.hpp>
#include <diffsiam/train/loop.hpp>
#include <diffsiam/train/sgd.hpp>
#include <diffsiam/train/step.hpp>

using namespace diffsiam;
using namespace diffsiam::test;
using train::MicroBatch;
using train::StepStatistics;

namespace {

using B = backend::Reference<double>;

/// The loss function of the small network on batch `number`, in two parts.
template <class Backend>
auto losses(SmallNet<Backend> const& net, Tape<Backend>& tape, std::uint64_t number) {
  SmallBatch<Backend> const batch{tape.context(), number};
  auto const y = net(tape.input(batch.x));
  auto const error = squared_error(y, batch.target);
  auto const size = 0.1 * ops::mean(y * y);
  return train::Losses<Backend, 2>{
      .total = error + size, .parts = {{{"error", error.value()}, {"size", size.value()}}}, .images = 4};
}

}  // namespace

TEMPLATE_TEST_CASE("Steps lower the loss and tell what they did", "[train][step]", backend::Reference<double>,
                   backend::Cpu<float>) {
  using Backend = TestType;
  typename Backend::Context context;
  SmallNet<Backend> const net{context};
  train::Adam<Backend> adam{nn::parameters(net), {.learning_rate = 0.02}};
  train::Ema<Backend> ema{nn::parameters(net)};
  train::TrainStep step{adam, {.accumulate = 2, .max_norm = 1}, train::Warmup{10}, &ema};
  double first = 0;
  StepStatistics last;
  for (int i = 0; i < 60; ++i) {
    last = step([&](Tape<Backend>& tape, MicroBatch const& at) {
      CHECK(at.step == static_cast<std::uint64_t>(i));
      return losses(net, tape, at.step * 2 + static_cast<std::uint64_t>(at.index));
    });
    if (i == 0) first = last.loss;
    if (i == 0) CHECK(last.learning_rate == Approx(0.002));
  }
  CHECK(last.step == 60);
  CHECK(last.loss < 0.5 * first);
  CHECK(last.images == 8);
  CHECK(last.learning_rate == Approx(0.02));
  CHECK(last.seconds > 0);
  CHECK(last.gradient_norm.value() > 0);
  REQUIRE(last.parts.size() == 2);
  CHECK(last.parts[1].name == "size");
  CHECK(last.parts[0].value + last.parts[1].value == Approx(last.loss).epsilon(1e-5));
  CHECK(ema.updates() == 60);
  CHECK(adam.steps() == 60);
}

TEST_CASE("A loss that is not finite names step and part, and leaves everything as it was", "[train][step]") {
  B::Context context;
  SmallNet<B> const net{context};
  train::Adam<B> adam{nn::parameters(net)};
  train::Ema<B> ema{nn::parameters(net)};
  train::TrainStep step{adam, {.accumulate = 2}, train::ConstantRate{}, &ema};
  auto const good = [&](Tape<B>& tape, MicroBatch const& at) { return losses(net, tape, at.step); };
  step(good);
  auto const before = all_values<B>(net);

  double const bad = GENERATE(std::numeric_limits<double>::quiet_NaN(), HUGE_VAL);
  bool const in_total = GENERATE(false, true);
  auto const failing = [&](Tape<B>& tape, MicroBatch const& at) {
    auto result = losses(net, tape, at.step);
    if (at.index == 1) {
      if (in_total)
        result.total = bad * result.total;
      else
        result.parts[1].value = Tensor<B>::filled(context, {}, bad);
    }
    return result;
  };
  CHECK_THROWS_AS(step(failing), NumericError);
  CHECK_THROWS_WITH(step(failing), contains("step 2, micro-batch 2 of 2") &&
                                       contains(in_total ? "'total'" : "'size'") &&
                                       contains(std::isnan(bad) ? "nan" : "inf"));
  CHECK(all_values<B>(net) == before);
  CHECK_FALSE(net.mean.proposed());
  CHECK(net.conv.gradient().values() == std::vector<double>(54, 0.0));
  CHECK(adam.steps() == 1);
  CHECK(ema.updates() == 1);
  CHECK(step.steps() == 1);
  CHECK(step.pending().micro_batches == 0);
  CHECK(step(good).step == 2);
}

TEST_CASE("A gradient that is not finite stops the step that names it", "[train][step]") {
  B::Context context;
  OneWeight<B> const module{Parameter<B>(Tensor<B>::filled(context, {1, 1}, 1e-200))};
  train::Sgd<B> sgd{nn::parameters(module)};
  train::TrainStep step{sgd};
  auto const x = Tensor<B>::filled(context, {1, 1}, 1e200);
  auto const loss = [&](Tape<B>& tape, MicroBatch const&) {
    return 1e150 * ops::sum(ops::linear(tape.input(x), module.weight));  // loss 1e150, gradient infinite
  };
  CHECK_THROWS_WITH(step(loss), contains("train, step 1") && contains("'weight'"));
  CHECK(module.weight.value().item() == 1e-200);
  CHECK(module.weight.gradient().item() == 0);
}

TEST_CASE("An exception of the loss function ends the step as if it had not begun", "[train][step]") {
  B::Context context;
  SmallNet<B> const net{context};
  train::Adam<B> adam{nn::parameters(net)};
  train::TrainStep step{adam, {.accumulate = 2}};
  CHECK_FALSE(step.micro_batch(
      [&](Tape<B>& tape, MicroBatch const& at) { return losses(net, tape, at.step).total; }));
  CHECK(net.mean.proposed());
  auto const failing = [&](Tape<B>& tape, MicroBatch const& at) {
    auto result = losses(net, tape, at.step);
    throw FileError("no more pictures");
    return result;
  };
  CHECK_THROWS_AS(step.micro_batch(failing), FileError);
  CHECK_FALSE(net.mean.proposed());
  CHECK(step.pending().micro_batches == 0);
}

TEST_CASE("Each micro-batch has random numbers of its own, the same in every run", "[train][step]") {
  B::Context context;
  SmallNet<B> const net{context};
  auto const draws = [&](std::uint64_t seed) {
    train::Adam<B> adam{nn::parameters(net)};
    train::TrainStep step{adam, {.accumulate = 2, .rng = {.seed = seed}}};
    std::vector<std::uint32_t> result;
    for (int i = 0; i < 2; ++i)
      step([&](Tape<B>& tape, MicroBatch const& at) {
        result.push_back(at.rng.words(0)[0]);
        result.push_back(tape.draw_stream().words(0)[0]);
        return losses(net, tape, 0);
      });
    return result;
  };
  auto const first = draws(1);
  CHECK(first == draws(1));
  CHECK(first != draws(2));
  for (std::size_t i = 0; i < first.size(); ++i)
    for (std::size_t j = 0; j < i; ++j) CHECK(first[i] != first[j]);
}

TEST_CASE("A step refuses settings out of range and a model that holds its average", "[train][step]") {
  B::Context context;
  SmallNet<B> const net{context};
  train::Adam<B> adam{nn::parameters(net)};
  CHECK_THROWS_WITH((train::TrainStep{adam, {.accumulate = 0}}), contains("accumulate") && contains("got 0"));
  CHECK_THROWS_WITH((train::TrainStep{adam, {.max_norm = -1}}), contains("max_norm") && contains("-1"));
  train::Ema<B> ema{nn::parameters(net)};
  train::TrainStep step{adam, {}, train::ConstantRate{}, &ema};
  train::Ema<B>::Scope const scope{ema};
  CHECK_THROWS_AS(step([&](Tape<B>& tape, MicroBatch const&) { return losses(net, tape, 0); }), Error);
}

TEST_CASE("A trained weight that the optimizer does not have keeps its gradient", "[train][step]") {
  B::Context context;
  OneWeight<B> const ours{Parameter<B>(Tensor<B>::filled(context, {1, 1}, 2))},
      others{Parameter<B>(Tensor<B>::filled(context, {1, 1}, 3))};
  train::Sgd<B> sgd{nn::parameters(ours), {.learning_rate = 1, .momentum = 0}};
  train::TrainStep step{sgd, {.allow_other_parameters = true}};
  for (int i = 1; i <= 2; ++i) {
    ours.weight.value().fill(2);
    step([&](Tape<B>& tape, MicroBatch const&) {
      auto const x = tape.input(Tensor<B>::filled(context, {1, 1}, 1));
      return ops::sum(ops::linear(ops::linear(x, ours.weight), others.weight));
    });
    CHECK(ours.weight.value().item() == 2 - 3);
    CHECK(others.weight.value().item() == 3);
    CHECK(others.weight.gradient().item() == 2 * i);
  }
}

TEST_CASE("A loop calls back after each step, every n steps and at the end, and a callback stops it",
          "[train][loop]") {
  B::Context context;
  SmallNet<B> const net{context};
  train::Adam<B> adam{nn::parameters(net)};
  train::TrainStep step{adam};
  auto const loss = [&](Tape<B>& tape, MicroBatch const& at) { return losses(net, tape, at.step); };
  std::vector<std::uint64_t> each, third, end;
  train::Loop loop{{.steps = 7}};
  loop.on_step([&](StepStatistics const& s) { each.push_back(s.step); })
      .every(3, [&](StepStatistics const& s) { third.push_back(s.step); })
      .at_end([&](StepStatistics const& s) { end.push_back(s.step); });
  CHECK(loop.run(step, loss).step == 7);
  CHECK(each == std::vector<std::uint64_t>{1, 2, 3, 4, 5, 6, 7});
  CHECK(third == std::vector<std::uint64_t>{3, 6});
  CHECK(end == std::vector<std::uint64_t>{7});

  train::Loop longer{{.steps = 100}};
  longer.on_step(
      [](StepStatistics const& s) { return s.step == 9 ? train::Signal::stop : train::Signal::go_on; });
  CHECK(longer.run(step, loss).step == 9);
  CHECK_THROWS_AS(loop.every(0, [](StepStatistics const&) {}), ConfigError);
}

TEST_CASE("A flag stops a loop between micro-batches; what was saved and how to resume is said",
          "[train][loop]") {
  B::Context context;
  SmallNet<B> const net{context};
  train::Adam<B> adam{nn::parameters(net)};
  train::TrainStep step{adam, {.accumulate = 3}};
  std::atomic<bool> stop = false;
  int calls = 0, saved = 0, ended = 0;
  train::Loop loop{{.steps = 10, .stop = &stop}};
  loop.at_end([&](StepStatistics const&) { ++ended; }).on_interrupt([&] {
    ++saved;
    return std::string("resume with --resume run");
  });
  auto const loss = [&](Tape<B>& tape, MicroBatch const&) {
    if (++calls == 5) stop = true;
    return losses(net, tape, 0);
  };
  CHECK_THROWS_WITH(loop.run(step, loss), contains("after step 1 of 10") &&
                                              contains("2 of 3 micro-batches") &&
                                              contains("resume with --resume run"));
  CHECK(calls == 5);
  CHECK(saved == 1);
  CHECK(ended == 0);
  stop = false;
  loop.run(step, loss);
  CHECK(calls == 30);
  CHECK(ended == 1);
}
