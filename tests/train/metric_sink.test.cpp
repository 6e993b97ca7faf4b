// Metrics of a stage in JSON lines, in TensorBoard and in a sink of the program's own.
#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include <tests/io/events.hpp>
#include <tests/io/scratch.hpp>
#include <tests/support/catch.hpp>
#include <tests/train/small_net.hpp>

#include <diffsiam/backend/cpu/cpu.hpp>
#include <diffsiam/train/adam.hpp>
#include <diffsiam/train/stage.hpp>

using namespace diffsiam;
using diffsiam::test::read_events;
using diffsiam::test::Scratch;
using train::StageConfig;

namespace {

using B = backend::Cpu<float>;

/// Trains a small network for as many steps, some of them before a resume perhaps.
void train_steps(StageConfig config) {
  B::Context context;
  test::SmallNet<B> const net{context};
  train::Adam<B> adam{nn::parameters(net), {.learning_rate = 1e-3}};
  train::TrainStep step{adam, {.rng = {.seed = 3}}};
  train::DataByStep data;
  train::Stage{std::move(config)}.run(
      step, data,
      [&](Tape<B>& tape, train::MicroBatch const& at) {
        test::SmallBatch<B> const batch{context, at.step};
        return test::squared_error(net(tape.input(batch.x)), batch.target);
      },
      net);
}

StageConfig config_in(Scratch const& scratch, std::uint64_t steps, bool resume = false) {
  return {.name = "net", .folder = scratch.folder(), .steps = steps, .resume = resume};
}

}  // namespace

TEST_CASE("TensorBoard shows the numbers of the JSON lines, under the same names", "[train][metric_sink]") {
  Scratch const scratch;
  io::SummaryWriter writer{scratch / "board"};
  StageConfig config = config_in(scratch, 3);
  config.metrics_to = {train::tensorboard(writer)};
  train_steps(config);

  auto const lines = io::read_json_lines(scratch / "net.metrics.jsonl");
  auto const events = read_events(writer.path());
  REQUIRE(lines.size() == 3);
  REQUIRE(events.size() == 5);
  CHECK(events[1].restart);
  CHECK(events[1].step == 0);  // of a run before this one nothing counts
  for (std::size_t i = 0; i < lines.size(); ++i) {
    std::map<std::string, float> expected;
    for (auto const& [name, value] : lines[i].items())
      if (name != "step") expected.emplace(name, value.get<float>());
    CHECK(events[i + 2].step == lines[i].at("step").get<std::uint64_t>());
    CHECK(events[i + 2].scalars == expected);
  }
  CHECK(events[2].scalars.contains("loss"));
  CHECK(events[2].scalars.contains("learning_rate"));
}

TEST_CASE("A stage that goes on takes back what comes after its checkpoint, in every sink",
          "[train][metric_sink]") {
  Scratch const scratch;
  train_steps(config_in(scratch, 2));
  std::vector<train::StageStart> starts;
  std::vector<std::uint64_t> steps;
  io::SummaryWriter writer{scratch / "board"};
  StageConfig config = config_in(scratch, 4, true);
  config.metrics_to = {train::tensorboard(writer), [&](train::StageStart const& start) {
                         starts.push_back(start);
                         return [&](nlohmann::ordered_json const& record) {
                           steps.push_back(record.at("step").get<std::uint64_t>());
                         };
                       }};
  train_steps(config);
  REQUIRE(starts.size() == 1);
  CHECK(starts[0].step == 2);
  CHECK(starts[0].resumed);
  CHECK(steps == std::vector<std::uint64_t>{3, 4});
  auto const events = read_events(writer.path());
  REQUIRE(events.size() == 4);
  CHECK(events[1].restart);
  CHECK(events[1].step == 3);
  CHECK(io::read_json_lines(scratch / "net.metrics.jsonl").size() == 4);

  // One that has ended opens nothing.
  train_steps(config);
  CHECK(starts.size() == 1);
  CHECK(read_events(writer.path()).size() == 4);
}
