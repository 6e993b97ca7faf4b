// A stage of training: its files, how it stops and goes on, and what looks see.
#include <algorithm>
#include <atomic>
#include <cstdint>
#include <filesystem>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include <tests/io/scratch.hpp>
#include <tests/support/catch.hpp>
#include <tests/train/small_net.hpp>

#include <diffsiam/backend/cpu/cpu.hpp>
#include <diffsiam/testing/stepped_backend.hpp>
#include <diffsiam/train/averaged_adam.hpp>
#include <diffsiam/train/feed.hpp>
#include <diffsiam/train/stage.hpp>

using namespace diffsiam;
using diffsiam::test::all_values;
using diffsiam::test::contains;
using diffsiam::test::read_text;
using diffsiam::test::Scratch;
using train::Stage;
using train::StageConfig;
using train::StepStatistics;

namespace {

/// Numbers of batches, five an epoch.
struct Numbers {
  train::DataPosition at;
  [[nodiscard]] train::DataPosition position() const { return at; }
  void seek(train::DataPosition const& to) { at = to; }
  [[nodiscard]] std::uint64_t next() {
    std::uint64_t const number = 5 * at.epoch + at.batch;
    at = {.epoch = (number + 1) / 5, .batch = (number + 1) % 5};
    return number;
  }
};

/// A small network, two micro-batches a step, whose batches come from Numbers through Feeds.
template <class B>
struct Training {
  typename B::Context context;
  test::SmallNet<B> net{context};
  train::Adam<B> adam{nn::parameters(net), {.learning_rate = 1e-3}};
  train::Ema<B> ema{nn::parameters(net)};
  train::TrainStep<train::Adam<B>> step;
  train::Feed<B> x{context, {4, 4, 5, 2}}, target{context, {4, 2}};
  Numbers numbers;

  Training()
      : step{adam, {.accumulate = 2, .max_norm = 1, .rng = {.seed = 3}}, train::ConstantRate{}, &ema} {}

  auto loss() {
    return [this](Tape<B>& tape, train::MicroBatch const& at) {
      Tensor<B> const noise{context, x.tensor().shape()};
      B::normal(context, at.rng, noise.data(), noise.size());
      return test::squared_error(net(tape.input(x.tensor()) + tape.input(noise)), target.tensor());
    };
  }
  train::StageSpeed operator()(StageConfig config) {
    config.next_batch = [this] {
      test::SmallBatch<B> const batch{context, numbers.next()};
      x.put(std::span<float const>(batch.x.values()));
      target.put(std::span<float const>(batch.target.values()));
    };
    return Stage{std::move(config)}.run(step, numbers, loss(), net);
  }
};

StageConfig config_in(Scratch const& scratch, bool resume = false) {
  return {.name = "net",
          .folder = scratch.folder(),
          .steps = 12,
          .resume = resume,
          .settings = {{"width", 3}, {"threads", 1}},
          .may_differ = {"threads"}};
}

/// Stops before step `at` + 1, or + 2 where steps are told of late.
template <class B>
void interrupt(Scratch const& scratch, std::uint64_t at, bool resume = false) {
  std::atomic<bool> stop = false;
  Training<B> training;
  StageConfig config = config_in(scratch, resume);
  config.stop = &stop;
  config.on_step = [&](StepStatistics const& s) { stop = s.step >= at; };
  CHECK_THROWS_WITH(training(config), contains("after step") && contains("saved to ") &&
                                          contains("net.checkpoint.safetensors"));
}

std::vector<std::uint64_t> steps_in(Scratch const& scratch) {
  std::vector<std::uint64_t> steps;
  for (auto const& record : io::read_json_lines(scratch / "net.metrics.jsonl"))
    steps.push_back(record.at("step").get<std::uint64_t>());
  return steps;
}
std::vector<double> losses_in(Scratch const& scratch) {
  std::vector<double> losses;
  for (auto const& record : io::read_json_lines(scratch / "net.metrics.jsonl"))
    losses.push_back(record.at("loss").get<double>());
  return losses;
}

/// Every file with what it holds.
std::vector<std::string> state_of(Scratch const& scratch) {
  std::vector<std::string> state;
  for (auto const& entry : std::filesystem::directory_iterator(scratch.folder()))
    state.push_back(entry.path().filename().string() + ": " + read_text(entry.path()));
  std::sort(state.begin(), state.end());
  return state;
}

}  // namespace

TEMPLATE_TEST_CASE("A stage that is interrupted and resumed ends bit for bit as one without a stop",
                   "[train][stage]", backend::Cpu<float>, testing::Stepped<float>) {
  Scratch whole, parts;
  Training<TestType> once, last;
  CHECK(once(config_in(whole)).steps == 12);
  interrupt<TestType>(parts, 2);
  interrupt<TestType>(parts, 7, true);
  CHECK(last(config_in(parts, true)).steps < 6);

  CHECK(read_text(parts / "net.safetensors") == read_text(whole / "net.safetensors"));
  CHECK(all_values<TestType>(last.net) == all_values<TestType>(once.net));
  // The metrics have no gap and no line twice.
  CHECK(steps_in(parts) == std::vector<std::uint64_t>{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12});
  CHECK(losses_in(parts) == losses_in(whole));
}

TEST_CASE("A stage that was killed takes steps again that its metrics have, and ends the same",
          "[train][stage]") {
  using B = backend::Cpu<float>;
  Scratch whole, killed;
  Training<B>{}(config_in(whole));
  interrupt<B>(killed, 5);
  auto const checkpoint = read_text(killed / "net.checkpoint.safetensors");
  interrupt<B>(killed, 9, true);
  io::write_file(killed / "net.checkpoint.safetensors", checkpoint);  // of step 5; metrics up to 9
  Training<B>{}(config_in(killed, true));
  CHECK(steps_in(killed) == steps_in(whole));
  CHECK(read_text(killed / "net.safetensors") == read_text(whole / "net.safetensors"));
}

TEMPLATE_TEST_CASE("Looks see the averaged weights, and training goes on with its own", "[train][stage]",
                   backend::Cpu<float>, testing::Stepped<float>) {
  Scratch looked_at, alone;
  Training<TestType> training, undisturbed;
  StageConfig config = config_in(looked_at);
  std::vector<std::uint64_t> steps;
  config.looks = 4;
  config.look = [&](std::uint64_t step) {
    steps.push_back(step);
    CHECK(training.step.steps() == step);
    CHECK(training.ema.swapped());
  };
  training(config);
  undisturbed(config_in(alone));
  CHECK(steps == std::vector<std::uint64_t>{3, 6, 9, 12});
  CHECK(losses_in(looked_at) == losses_in(alone));
  // In the end the averages are the model.
  std::vector<float> averages;
  training.ema.for_each_state([&](std::string const&, auto const& tensor, auto const&) {
    auto const values = tensor.values();
    averages.insert(averages.end(), values.begin(), values.end());
  });
  auto sorted = all_values<TestType>(training.net);
  std::sort(sorted.begin(), sorted.end());
  std::sort(averages.begin(), averages.end());
  CHECK(sorted == averages);
}

TEST_CASE("A stage that has ended is read, and nothing is written", "[train][stage]") {
  using B = backend::Cpu<float>;
  Scratch scratch;
  Training<B> first, again;
  first(config_in(scratch));
  auto const before = state_of(scratch);
  auto const time = std::filesystem::last_write_time(scratch / "net.safetensors");
  CHECK(again(config_in(scratch, true)).steps == 0);
  CHECK(state_of(scratch) == before);
  CHECK(std::filesystem::last_write_time(scratch / "net.safetensors") == time);
  CHECK(all_values<B>(again.net) == all_values<B>(first.net));
  CHECK(again.numbers.at == first.numbers.at);

  // Killed before its weights were written, it writes them.
  std::filesystem::remove(scratch / "net.safetensors");
  Training<B>{}(config_in(scratch, true));
  CHECK(state_of(scratch) == before);
}

TEST_CASE("A stage that begins anew leaves nothing of the one before", "[train][stage]") {
  using B = backend::Cpu<float>;
  Scratch scratch;
  Training<B>{}(config_in(scratch));
  std::atomic<bool> const stop = true;
  StageConfig config = config_in(scratch);
  config.stop = &stop;
  Training<B> stopped;
  CHECK_THROWS_AS(stopped(config), Interrupted);
  CHECK(steps_in(scratch).empty());
  CHECK_FALSE(io::file_exists(scratch / "net.safetensors"));
}

TEST_CASE("A stop during the last step is heeded, once all is saved", "[train][stage]") {
  using B = backend::Cpu<float>;
  Scratch scratch;
  std::atomic<bool> stop = false;
  StageConfig config = config_in(scratch);
  config.stop = &stop;
  config.on_step = [&](StepStatistics const& s) { stop = s.step == 12; };
  Training<B> training;
  CHECK_THROWS_WITH(training(config), contains("after the last step"));
  CHECK(Training<B>{}(config_in(scratch, true)).steps == 0);
  CHECK(io::file_exists(scratch / "net.safetensors"));
}

TEST_CASE("What a stage cannot be run with is refused before anything is written", "[train][stage]") {
  using B = backend::Cpu<float>;
  Scratch scratch;
  auto const refused = [&](auto change, auto const& words) {
    StageConfig config = config_in(scratch);
    change(config);
    CHECK_THROWS_WITH(Stage{config}, words);
  };
  refused([](auto& c) { c.steps = 0; }, contains("1 step or more"));
  refused([](auto& c) { c.name = ""; }, contains("a name"));
  refused([](auto& c) { c.name = "a/b"; }, contains("'a/b'"));
  refused([](auto& c) { c.looks = 0; }, contains("1 look or more"));
  refused([](auto& c) { c.images_per_step = -1; }, contains("images_per_step"));
  refused([](auto& c) { c.save.most_share = 2; }, contains("most_share"));

  // A parameter that is trained and stands in no module of the stage.
  Training<B> training;
  test::SmallNet<B> const other{training.context};
  CHECK_THROWS_WITH(Stage{config_in(scratch)}.run(training.step, training.numbers, training.loss(), other),
                    contains("modules that hold all that the optimizer trains"));
  CHECK(scratch.file_count() == 0);

  interrupt<B>(scratch, 3);
  auto const before = state_of(scratch);
  StageConfig config = config_in(scratch, true);
  config.settings["width"] = 4;
  CHECK_THROWS_WITH(training(config), contains("width = 3") && contains("got 4"));
  CHECK(state_of(scratch) == before);
  config.settings["width"] = 3;
  config.settings["threads"] = 2;  // may differ
  CHECK(training(config).steps > 0);
}

TEST_CASE("A stage shows its progress where it is told to, and trains without averages", "[train][stage]") {
  using B = backend::Cpu<float>;
  Scratch scratch;
  B::Context context;
  test::SmallNet<B> const net{context}, idle{context};
  train::Adam<B> adam{nn::parameters(net, idle), {.learning_rate = 1e-3}};
  train::TrainStep step{adam, {.rng = {.seed = 3}}};
  train::DataByStep data;
  std::ostringstream out;
  int looks = 0;
  StageConfig config = config_in(scratch);
  config.images_per_step = 4;
  config.progress = &out;
  config.look = [&](std::uint64_t) { ++looks; };
  auto const loss = [&](Tape<B>& tape, train::MicroBatch const& at) {
    test::SmallBatch<B> const batch{context, at.step};
    return test::squared_error(net(tape.input(batch.x)), batch.target);
  };
  auto const speed = Stage{config}.run(step, data, loss, net, idle);
  CHECK(speed.steps == 12);
  CHECK(speed.images_per_second > 0);
  CHECK(looks == 12);
  CHECK_THAT(out.str(), contains("note: step 1 has no gradient for 6 trainable parameters"));
  CHECK_THAT(out.str(), contains("100%  12/12") && contains("images/s"));
  test::SmallNet<B> const loaded{context, 5};
  io::load_weights(scratch / "net.safetensors", loaded);  // the first module alone
  CHECK(all_values<B>(loaded) == all_values<B>(net));
}

TEST_CASE("Adam with averages trains as its parts do", "[train][stage]") {
  using B = backend::Cpu<float>;
  B::Context context;
  test::SmallNet<B> const one{context}, other{context};
  train::AveragedAdam<B> together{nn::parameters(one),
                                  {.learning_rate = 1e-2, .steps = 5, .rng = {.seed = 2}}};
  train::Adam<B> adam{nn::parameters(other), {.learning_rate = 1e-2}};
  train::Ema<B> ema{nn::parameters(other)};
  train::TrainStep step{adam, {.rng = {.seed = 2}}, train::Cosine{{.steps = 5, .floor = 0.1}}, &ema};
  auto const loss_of = [&](test::SmallNet<B> const& net) {
    return [&](Tape<B>& tape, train::MicroBatch const& at) {
      test::SmallBatch<B> const batch{context, at.step};
      return test::squared_error(net(tape.input(batch.x)), batch.target);
    };
  };
  for (int i = 0; i < 5; ++i) CHECK(together.step(loss_of(one)).loss == step(loss_of(other)).loss);
  CHECK(all_values<B>(one) == all_values<B>(other));
  together.ema.copy_to_model();
  ema.copy_to_model();
  CHECK(all_values<B>(one) == all_values<B>(other));
  CHECK_THROWS_AS((train::AveragedAdam<B>{nn::parameters(one), {.floor = 2}}), ConfigError);
}
