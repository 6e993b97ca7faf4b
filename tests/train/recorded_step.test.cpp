// A recorded step on the kernels of the Cuda backend, stepped through on the host: a recording is the list of
// its launches.
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include <tests/support/catch.hpp>
#include <tests/train/small_net.hpp>

#include <diffsiam/nn/dropout.hpp>
#include <diffsiam/testing/stepped_backend.hpp>
#include <diffsiam/train/adam.hpp>
#include <diffsiam/train/feed.hpp>
#include <diffsiam/train/optimizer_group.hpp>
#include <diffsiam/train/recorded_step.hpp>
#include <diffsiam/train/sgd.hpp>

using namespace diffsiam;
using namespace diffsiam::test;
using train::MicroBatch;
using train::StepStatistics;

namespace {

using B = testing::Stepped<float>;
using Both = train::OptimizerGroup<train::Adam<B>, train::Scheduled<train::Sgd<B>, train::Warmup<>>>;

/// A run with everything that changes from step to step: batches, noise and dropout, two optimizers with
/// schedules, averages, running statistics, and micro-batches.
struct Run {
  B::Context context;
  SmallNet<B> net{context};
  SmallNet<B> other{context, 2};
  train::Adam<B> adam{nn::parameters(net), {.learning_rate = 0.02}};
  train::Sgd<B> sgd{nn::parameters(other), {.learning_rate = 0.05}};
  train::Scheduled<train::Sgd<B>, train::Warmup<>> warmed{sgd, train::Warmup{6}};
  Both both{adam, warmed};
  train::Ema<B> ema{nn::parameters(net, other), {.decay = 0.9}};
  train::TrainStep<Both, train::Cosine> step;
  train::RecordedStep<train::TrainStep<Both, train::Cosine>> recorded{step, {.warm_up = 2}};
  train::Feed<B> x{context, {4, 4, 5, 2}}, target{context, {4, 2}};
  double steepness = 1;
  bool unequal = false;      ///< micro-batches of other sizes, as far as is told
  std::vector<float> draws;  ///< the first number of each step's noise, on the device
  Tensor<B> drawn{context, {1}};

  explicit Run(train::StepConfig const& config) : step(both, config, train::Cosine{{.steps = 12}}, &ema) {}

  void put(std::uint64_t number) {
    SmallBatch<B> const batch{context, number};
    x.put(std::span<float const>(batch.x.values()));
    target.put(std::span<float const>(batch.target.values()));
  }
  auto loss() {
    return [this](Tape<B>& tape, MicroBatch const& at) {
      Tensor<B> const noise{context, x.tensor().shape()};
      B::normal(context, at.rng, noise.data(), noise.size());
      drawn.assign(noise.reshaped({noise.size()}).samples(0, 1));
      auto const noisy = nn::Dropout{0.1}(tape.input(x.tensor()) + tape.input(noise));
      auto const error = squared_error(net(noisy), target.tensor());
      auto const second = squared_error(other(noisy), target.tensor());
      return train::Losses<B, 1>{.total = steepness * (error + second),
                                 .parts = {{{"error", error.value()}}},
                                 .images = unequal ? 3 + 2 * at.index : 4};
    };
  }
  [[nodiscard]] std::vector<float> values() const {
    auto result = all_values<B>(net);
    auto const append = [&](std::vector<float> const& more) {
      result.insert(result.end(), more.begin(), more.end());
    };
    append(all_values<B>(other));
    ema.for_each_state([&](auto const&, Tensor<B> const& state, auto const&) { append(state.values()); });
    both.for_each_state([&](auto const&, Tensor<B> const& state) { append(state.values()); });
    return result;
  }
};

/// Everything but the time that a step took.
void check_same(StepStatistics const& actual, StepStatistics const& expected) {
  CHECK(actual.step == expected.step);
  CHECK(actual.loss == expected.loss);
  REQUIRE(actual.parts.size() == expected.parts.size());
  for (std::size_t i = 0; i < actual.parts.size(); ++i) {
    CHECK(actual.parts[i].name == expected.parts[i].name);
    CHECK(actual.parts[i].value == expected.parts[i].value);
  }
  CHECK(actual.gradient_norm == expected.gradient_norm);
  CHECK(actual.learning_rate == expected.learning_rate);
  CHECK(actual.images == expected.images);
  CHECK(actual.loss_scale == expected.loss_scale);
  CHECK(actual.skipped == expected.skipped);
  CHECK(actual.without_gradient == expected.without_gradient);
}

}  // namespace

TEST_CASE("Recorded steps are the ordinary steps, bit for bit", "[train][recorded]") {
  using train::StepConfig;
  auto const config = GENERATE(StepConfig{.measure_norm = false, .rng = {.seed = 5}},
                               StepConfig{.accumulate = 3, .max_norm = 0.3, .rng = {.seed = 5}},
                               StepConfig{.accumulate = 2,
                                          .max_norm = 0.3,
                                          .rng = {.seed = 5},
                                          .loss_scaling = train::LossScaler::Config{.patience = 3}});
  Run ordinary{config}, replayed{config};
  ordinary.unequal = replayed.unequal = GENERATE(false, true);
  std::vector<StepStatistics> expected, actual;
  for (std::uint64_t i = 0; i < 7; ++i) {
    ordinary.put(i);
    expected.push_back(ordinary.step(ordinary.loss()));
    replayed.put(i);
    auto const told = replayed.recorded(replayed.loss());
    CHECK(told.has_value() == (i != 2));
    if (told) actual.push_back(*told);
  }
  auto const last = replayed.recorded.finish();
  REQUIRE(last);
  actual.push_back(*last);
  CHECK_FALSE(replayed.recorded.finish());
  REQUIRE(actual.size() == expected.size());
  for (std::size_t i = 0; i < actual.size(); ++i) check_same(actual[i], expected[i]);
  CHECK(replayed.values() == ordinary.values());
  CHECK(replayed.step.steps() == 7);
  CHECK(replayed.adam.steps() == 7);
  CHECK(replayed.sgd.steps() == 7);
  CHECK(replayed.ema.updates() == 7);
}

TEST_CASE("A replayed step that overflows is skipped, as an ordinary one is", "[train][recorded]") {
  train::StepConfig const config{.rng = {.seed = 5},
                                 .loss_scaling = train::LossScaler::Config{.scale = 1024}};
  Run ordinary{config}, replayed{config};
  auto const go = [](Run& run, auto& step, auto const& told) {
    for (std::uint64_t i = 0; i < 8; ++i) {
      run.put(i);
      // One batch whose gradients overflow, after the recording.
      if (i == 4) run.target.put(std::span<float const>(std::vector<float>(8, 1e17F)));
      if (std::optional<StepStatistics> const statistics = step(run.loss())) told(*statistics);
    }
  };
  std::vector<StepStatistics> expected, actual;
  go(ordinary, ordinary.step, [&](StepStatistics const& s) { expected.push_back(s); });
  go(replayed, replayed.recorded, [&](StepStatistics const& s) { actual.push_back(s); });
  actual.push_back(*replayed.recorded.finish());
  REQUIRE(actual.size() == expected.size());
  CHECK(expected[4].skipped);
  CHECK_FALSE(expected[5].skipped);
  for (std::size_t i = 0; i < actual.size(); ++i) check_same(actual[i], expected[i]);
  CHECK(replayed.values() == ordinary.values());
  CHECK(replayed.adam.steps() == 7);
  CHECK(replayed.step.loss_scaler()->state() == ordinary.step.loss_scaler()->state());
}

TEST_CASE("Every replay draws numbers of its own", "[train][recorded]") {
  Run run{{.rng = {.seed = 5}}};
  std::vector<float> first;
  for (std::uint64_t i = 0; i < 5; ++i) {
    run.put(0);
    (void)run.recorded(run.loss());
    first.push_back(run.drawn.item());
    for (std::size_t j = 0; j < i; ++j) CHECK(first[j] != first[i]);
  }
  CHECK(run.recorded.recorded());
}

TEST_CASE("What makes the host wait is refused while a step is recorded", "[train][recorded]") {
  Run run{{.rng = {.seed = 5}}};
  bool const reads_values = GENERATE(false, true);
  auto const loss = [&](Tape<B>& tape, MicroBatch const& at) {
    auto answer = run.loss()(tape, at);
    (void)(reads_values ? answer.total.value().values()[0] : answer.total.value().item());
    return answer;
  };
  run.put(0);
  for (int i = 0; i < 2; ++i) (void)run.recorded(loss);
  auto const before = run.values();
  CHECK_THROWS_AS(run.recorded(loss), Error);
  CHECK_THROWS_WITH(run.recorded(loss),
                    contains("download") && contains("while it is recorded") && contains("one step late"));
  CHECK(run.values() == before);
  CHECK_FALSE(run.net.mean.proposed());
  CHECK_FALSE(run.recorded.recorded());
  // Nothing is left behind: a loss function that waits for nothing is recorded.
  (void)run.recorded(run.loss());
  CHECK(run.recorded.finish()->step == 3);
  CHECK_THROWS_AS(run.context.record(nullptr, [&] { run.put(1); }), Error);
}

TEST_CASE("Uploads that change from step to step are refused", "[train][recorded]") {
  Run run{{.rng = {.seed = 5}}};
  float number = 0;
  auto const loss = [&](Tape<B>& tape, MicroBatch const& at) {
    ++number;
    auto const factor = Tensor<B>::from(run.context, {}, std::span<float const>(&number, 1));
    auto answer = run.loss()(tape, at);
    answer.total = answer.total * tape.input(factor);
    return answer;
  };
  run.put(0);
  for (int i = 0; i < 2; ++i) (void)run.recorded(loss);
  CHECK_THROWS_WITH(run.recorded(loss), contains("RecordedStep") && contains("uploaded") && contains("Feed"));
}

TEST_CASE("A loss that is not finite is told one step late, and has moved nothing", "[train][recorded]") {
  Run run{{.rng = {.seed = 5}}};
  auto const bad = [&] { run.target.put(std::span<float const>(std::vector<float>(8, HUGE_VALF))); };
  run.put(0);
  for (int i = 0; i < 4; ++i) (void)run.recorded(run.loss());
  auto const before = run.values();
  bad();
  CHECK(run.recorded(run.loss())->step == 4);
  CHECK(run.values() == before);
  CHECK_THROWS_AS(run.recorded.finish(), NumericError);
  CHECK(run.values() == before);
  CHECK(run.adam.steps() == 4);
  CHECK(run.ema.updates() == 4);
  bad();
  (void)run.recorded(run.loss());
  CHECK_THROWS_WITH(run.recorded.finish(), contains("step 6, micro-batch 1 of 1") && contains("'error'"));
}

TEST_CASE("Nothing is replayed while the average stands in the model", "[train][recorded]") {
  Run run{{.rng = {.seed = 5}}};
  run.put(0);
  for (int i = 0; i < 3; ++i) (void)run.recorded(run.loss());
  auto const before = run.values();
  {
    train::Ema<B>::Scope const averaged{run.ema};
    CHECK_THROWS_WITH(run.recorded(run.loss()), contains("Ema::update"));
  }
  CHECK(run.values() == before);
  CHECK(run.recorded.finish()->step == 3);
}

TEST_CASE("Memory of a recording is nobody else's", "[train][recorded]") {
  B::Context context;
  Tensor<B> const sum = Tensor<B>::zeros(context, {});
  auto const recording = context.record(nullptr, [&] {
    auto const twos = Tensor<B>::filled(context, {100}, 2.0F);
    auto const copy = twos.clone();
    SampleGrid const g{1, 1, 100};
    B::sum(context, g.grid(), functional::Product{}, g.once(sum.data()), g.full(twos.data()),
           g.full(copy.data()));
  });
  CHECK(recording.size() > 0);
  CHECK(sum.item() == 0);
  std::vector<Tensor<B>> others;
  for (int i = 0; i < 20; ++i) others.push_back(Tensor<B>::filled(context, {100}, 7.0F));
  recording.replay();
  recording.replay();
  CHECK(sum.item() == 800);
  for (auto const& other : others) CHECK(other.values() == std::vector<float>(100, 7.0F));
}

TEST_CASE("A recorded step refuses what it cannot record", "[train][recorded]") {
  Run run{{.rng = {.seed = 5}}};
  CHECK_THROWS_WITH((train::RecordedStep{run.step, {.warm_up = 0}}),
                    contains("warm_up") && contains("got 0"));
  train::Ema<B> more{nn::parameters(run.net, run.other)};
  train::TrainStep some{run.adam, {.allow_other_parameters = true}, train::ConstantRate{}, &more};
  train::RecordedStep recorded{some, {.warm_up = 1}};
  run.put(0);
  (void)recorded(run.loss());
  CHECK_THROWS_WITH(recorded(run.loss()), contains("averages of others too"));
  CHECK_THROWS_WITH(run.x.put(std::span<float const>{}), contains("Feed::put") && contains("got 0"));
}
