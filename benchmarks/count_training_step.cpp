// What a training step of the Cuda backend asks of a GPU: launches, bytes, and the time that a card needs at
// least. It is counted on a stand-in of the device (tests/standin), and nothing of it is measured. One JSON
// line.
//
//   build/bench/benchmarks/count_training_step --config celeba64 --batch 128 --precision bf16 --card h100
//   --graph
//
// The library's own kernels are stepped through, some blocks of each. Of these the different sectors of 32
// bytes are counted that each warp reads and writes, as if what a warp has read came from a cache when it is
// read again, and nothing that another warp has read. Of products and convolutions each operand is counted
// once.

#include <algorithm>
#include <cstdio>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>
#include <tests/standin/device/device.hpp>
#include <tests/standin/device/tally.hpp>

#include <diffsiam/backend/cuda.cuh>
#include <diffsiam/train/adam.hpp>
#include <diffsiam/train/ema.hpp>
#include <diffsiam/train/feed.hpp>
#include <diffsiam/train/recorded_step.hpp>

#include "support/pass.hpp"
#include <experiments/support/options.hpp>
#include <experiments/support/program.hpp>

namespace {

using namespace bench;
using Json = nlohmann::ordered_json;
namespace standin = diffsiam::standin;

struct Options {
  std::string config = "fashion", what = "diffsiam", precision = "bf16", card = "h100";
  Index batch = 0;
  bool ema = false, graph = false;
};

/// Gives what is queued to the innermost operation.
class Labels : public ds::Observer {
 public:
  void begin(std::string_view operation, ds::Direction direction) override {
    outer_.push_back(std::exchange(
        standin::device().label,
        std::string{operation} + (direction == ds::Direction::forward ? " forward" : " backward")));
  }
  void end() noexcept override {
    standin::device().label = std::move(outer_.back());
    outer_.pop_back();
  }

 private:
  std::vector<std::string> outer_;
};

[[nodiscard]] Json json_of(standin::Counts const& counts) {
  return {{"launches", counts.launches},       {"copies", counts.copies},
          {"gbytes_read", counts.read / 1e9},  {"gbytes_written", counts.written / 1e9},
          {"gflops", counts.operations / 1e9}, {"least_milliseconds", counts.bound * 1e3}};
}

/// What was counted so far is of no interest.
void begin(standin::Tally& tally) {
  tally.by_operation.clear();
  tally.skips_kernels = false;
}

/// The counts of one step after the first ones, in which plans are chosen and memory is taken.
template <class B, class Model>
void count_steps(typename B::Context& context, Model const& model, Options const& options, Sizes const& sizes,
                 standin::Tally& tally) {
  Index const batch = options.batch > 0 ? options.batch : sizes.batch;
  auto const schedule = ds::NoiseSchedule::linear();
  auto const list = ds::parameters(model);
  ds::train::Adam<B> adam{list};
  std::unique_ptr<ds::train::Ema<B>> const ema{options.ema ? new ds::train::Ema<B>{list} : nullptr};
  ds::train::Feed<B> feed{context, sizes.images(batch)};
  ds::train::TrainStep step{
      adam, {.measure_norm = false, .rng = {.seed = 1}}, ds::train::ConstantRate{}, ema.get()};
  auto const loss = [&](ds::Tape<B>& tape, ds::train::MicroBatch const& at) {
    return loss_of(tape, model, schedule, feed.tensor(), at.rng);
  };
  tally.skips_kernels = true;
  if (options.graph) {
    ds::train::RecordedStep recorded{step, {.warm_up = 1}};
    while (!recorded.recorded()) (void)recorded(loss);
    begin(tally);
    (void)recorded(loss);
  } else {
    (void)step(loss);
    begin(tally);
    (void)step(loss);
  }
}

template <class B>
Json count(Options const& options, standin::Card const& card) {
  Sizes const sizes = sizes_of(options.config);
  standin::Tally tally{card};
  standin::Device& device = standin::device();
  device.memory.total = std::size_t{140} << 30;
  device.memory.poisons = false;
  device.memory.open();
  device.tally = &tally;
  Labels labels;
  typename B::Context context;
  context.set_observer(&labels);
  ds::UNet<B> const denoiser{context, sizes.denoiser};
  options.what == "denoiser"
      ? count_steps<B>(context, denoiser, options, sizes, tally)
      : count_steps<B>(context, make_diffsiam(context, denoiser, sizes), options, sizes, tally);
  std::vector<std::pair<std::string, standin::Counts>> rows(tally.by_operation.begin(),
                                                            tally.by_operation.end());
  std::ranges::sort(rows, std::greater{}, [](auto const& row) { return row.second.bound; });
  Json record{{"program", "count_training_step"},
              {"counted", "on a stand-in; nothing is measured"},
              {"config", options.config},
              {"what", options.what},
              {"precision", options.precision},
              {"batch", options.batch > 0 ? options.batch : sizes.batch},
              {"graph", options.graph},
              {"ema", options.ema},
              {"card", card.name},
              {"step", json_of(tally.total())},
              {"operations", Json::object()}};
  for (auto const& [name, counts] : rows) record["operations"][name] = json_of(counts);
  return record;
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  CLI::App app{"What a training step asks of a GPU: counted, not measured. Prints one JSON line.",
               "count_training_step"};
  std::vector<std::string> names;
  for (auto const& card : standin::cards) names.emplace_back(card.name);
  app.add_option("--config", options.config, "sizes of the networks")
      ->check(CLI::IsMember({"fashion", "celeba64"}))
      ->capture_default_str();
  app.add_option("--what", options.what, "what is trained")
      ->check(CLI::IsMember({"denoiser", "diffsiam"}))
      ->capture_default_str();
  app.add_option("--precision", options.precision, "of activations and operands")
      ->check(CLI::IsMember({"float32", "bf16"}))
      ->capture_default_str();
  app.add_option("--card", options.card, "whose limits the least time is from")
      ->check(CLI::IsMember(names))
      ->capture_default_str();
  experiments::add_whole_number(app, "--batch", options.batch, 0, 4096, "0: 64 for fashion, 8 for celeba64");
  app.add_flag("--ema", options.ema, "also an average of the weights");
  app.add_flag("--graph", options.graph, "a step that is recorded once and replayed");
  return experiments::run_program(app, argc, argv, [&] {
    auto const& card = *std::ranges::find(standin::cards, options.card, &standin::Card::name);
    Json const record = options.precision == "bf16" ? count<ds::backend::Cuda<ds::BFloat16>>(options, card)
                                                    : count<ds::backend::Cuda<float>>(options, card);
    std::printf("%s\n", record.dump().c_str());
  });
}
