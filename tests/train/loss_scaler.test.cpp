#include <cmath>
#include <cstdint>
#include <vector>

#include <tests/io/scratch.hpp>
#include <tests/support/catch.hpp>
#include <tests/train/small_net.hpp>

#include <diffsiam/backend/cpu/cpu.hpp>
#include <diffsiam/train/adam.hpp>
#include <diffsiam/train/checkpoint.hpp>
#include <diffsiam/train/loss_scaler.hpp>

using namespace diffsiam;
using namespace diffsiam::test;
using train::LossScaler;
using train::MicroBatch;
using train::StepStatistics;

namespace {

using B = backend::Cpu<float>;

/// A run of the small network whose gradients are multiplied by `steepness` on their way.
struct ScaledRun {
  B::Context context{{.threads = 1}};
  SmallNet<B> net{context};
  train::Adam<B> adam{nn::parameters(net), {.learning_rate = 0.02}};
  train::Ema<B> ema{nn::parameters(net)};
  train::TrainStep<train::Adam<B>> step;
  double steepness = 1;

  explicit ScaledRun(std::optional<LossScaler::Config> const& scaling, double max_norm = 0)
      : step(adam, {.accumulate = 2, .max_norm = max_norm, .rng = {.seed = 3}, .loss_scaling = scaling}, {},
             &ema) {}

  StepStatistics operator()() {
    return step([this](Tape<B>& tape, MicroBatch const& at) {
      SmallBatch<B> const batch{context, at.step * 2 + static_cast<std::uint64_t>(at.index)};
      return steepness * squared_error(net(tape.input(batch.x)), batch.target);
    });
  }
  [[nodiscard]] std::vector<float> values() const {
    auto result = all_values<B>(net);
    auto const append = [&](std::string const&, Tensor<B> const& tensor, auto const&...) {
      auto const more = tensor.values();
      result.insert(result.end(), more.begin(), more.end());
    };
    ema.for_each_state(append);
    adam.for_each_state(append);
    return result;
  }
};

}  // namespace

TEST_CASE("A scale halves at each overflow and doubles after enough good steps in a row", "[train]") {
  LossScaler scaler;
  CHECK(scaler.scale() == 65536);
  for (int i = 0; i < 1999; ++i) scaler.update(true);
  CHECK(scaler.scale() == 65536);
  scaler.update(false);
  CHECK(scaler.scale() == 32768);
  for (int i = 0; i < 1999; ++i) scaler.update(true);
  CHECK(scaler.scale() == 32768);
  scaler.update(true);
  CHECK(scaler.scale() == 65536);
  CHECK(scaler.state() == LossScaler::State{65536, 0});
}

TEST_CASE("A scale stays within its bounds", "[train]") {
  LossScaler scaler{{.scale = 2, .patience = 1, .least = 1, .most = 4}};
  CHECK(scaler.can_shrink());
  scaler.update(false);
  scaler.update(false);
  CHECK(scaler.scale() == 1);
  CHECK_FALSE(scaler.can_shrink());
  for (int i = 0; i < 5; ++i) scaler.update(true);
  CHECK(scaler.scale() == 4);
}

TEST_CASE("A scaler refuses settings out of range", "[train]") {
  CHECK_THROWS_WITH(LossScaler({.scale = 1000}), contains("scale a power of two") && contains("1000"));
  CHECK_THROWS_WITH(LossScaler({.scale = 0}), contains("scale a power of two"));
  CHECK_THROWS_WITH(LossScaler({.scale = NAN}), contains("scale a power of two"));
  CHECK_THROWS_WITH(LossScaler({.patience = 0}), contains("patience"));
  CHECK_THROWS_WITH(LossScaler({.scale = 8, .least = 16}), contains("scale in [16, ") && contains("got 8"));
  LossScaler scaler;
  CHECK_THROWS_WITH(scaler.restore({65536, 2000}), contains("fewer good steps"));
  CHECK_THROWS_WITH(scaler.restore({3, 0}), contains("power of two"));
}

TEST_CASE("Where nothing overflows, a scale changes no bit", "[train]") {
  double const max_norm = GENERATE(0.0, 0.05);
  ScaledRun plain{{}, max_norm}, scaled{LossScaler::Config{.patience = 2}, max_norm};
  for (int i = 0; i < 6; ++i) {
    auto const expected = plain(), actual = scaled();
    CHECK(actual.loss == expected.loss);
    CHECK(actual.gradient_norm.value() == Approx(expected.gradient_norm.value()).epsilon(1e-6));
    if (max_norm > 0) CHECK(expected.gradient_norm.value() > max_norm);
    CHECK(actual.loss_scale == 65536.0 * (1 << i / 2));
    CHECK_FALSE(expected.loss_scale);
  }
  CHECK(scaled.values() == plain.values());
}

TEST_CASE("A step that overflows is skipped, halves the scale and leaves no trace", "[train]") {
  ScaledRun run{LossScaler::Config{}};
  run();
  auto const before = run.values();
  run.steepness = 1e18;  // squares of gradients go beyond 3e38 with the scale, and not without
  auto skipped = run();
  CHECK(skipped.skipped);
  CHECK(skipped.step == 2);
  CHECK(skipped.loss_scale == 65536);
  CHECK_FALSE(skipped.gradient_norm);
  CHECK(run.step.loss_scaler()->scale() == 32768);
  CHECK(run.values() == before);
  CHECK_FALSE(run.net.mean.proposed());
  CHECK(run.net.conv.gradient().values() == std::vector<float>(54, 0.0F));
  CHECK(run.adam.steps() == 1);
  CHECK(run.ema.updates() == 1);
  int more = 0;
  while (skipped.skipped && more < 40) skipped = run(), ++more;
  CHECK(more > 1);
  CHECK(more < 40);
  CHECK(run.values() != before);
  CHECK(run.adam.steps() == 2);
  CHECK(skipped.gradient_norm.value() > 1e17);
}

TEST_CASE("Gradients that overflow at the least scale stop the run and are named", "[train]") {
  ScaledRun run{LossScaler::Config{.scale = 2, .least = 2}};
  run.steepness = 1e30;
  auto const before = run.values();
  CHECK_THROWS_AS(run(), NumericError);
  CHECK_THROWS_WITH(run(), contains("train, step 1") && contains("'conv.weight'"));
  CHECK(run.values() == before);
  CHECK(run.step.loss_scaler()->scale() == 2);
}

TEST_CASE("A scale is resumed with its run, bit for bit", "[train][checkpoint]") {
  Scratch const scratch;
  train::Checkpoint const checkpoint{scratch / "run.safetensors"};
  LossScaler::Config const scaling{.patience = 3};
  ScaledRun whole{scaling}, first{scaling}, second{scaling};
  auto const part_one = [](ScaledRun& run) {
    run();
    run.steepness = 1e18;
    run();
    run.steepness = 1;
    for (int i = 0; i < 2; ++i) run();
  };
  auto const part_two = [](ScaledRun& run) {
    for (int i = 0; i < 5; ++i) run();
  };
  part_one(whole);
  part_two(whole);
  part_one(first);
  checkpoint.save(first.step, {}, first.net);
  (void)checkpoint.load(second.step, second.net);
  CHECK(second.step.loss_scaler()->state() == LossScaler::State{32768, 2});
  part_two(second);
  CHECK(second.values() == whole.values());
  CHECK(second.step.loss_scaler()->state() == whole.step.loss_scaler()->state());

  ScaledRun without{{}};
  CHECK_THROWS_WITH(checkpoint.load(without.step, without.net), contains("no loss scale"));
  ScaledRun impatient{LossScaler::Config{.patience = 2}};
  auto const before = impatient.values();
  CHECK_THROWS_WITH(checkpoint.load(impatient.step, impatient.net), contains("fewer good steps"));
  CHECK(impatient.values() == before);
}
