// How fast a training step is, and how much memory it takes: noising, forward and backward pass, Adam. One
// JSON line.
//
//   build/bench/benchmarks/training_step --config fashion --what diffsiam --threads 2
//   build/bench/benchmarks/training_step --config celeba64 --ema
//   build/bench/benchmarks/training_step_cuda --config celeba64 --batch 128 --ema --graph

#include <memory>
#include <span>
#include <stdexcept>
#include <vector>

#include <diffsiam/train/adam.hpp>
#include <diffsiam/train/ema.hpp>
#include <diffsiam/train/feed.hpp>
#include <diffsiam/train/recorded_step.hpp>

#include "support/backends.hpp"
#include "support/measure.hpp"
#include "support/models.hpp"
#include "support/pass.hpp"

namespace {

using namespace bench;

/// Seconds of steps that are replayed, with one batch that is on the device before; `bytes` is what the
/// recording has to itself. Throws std::runtime_error where the backend records nothing.
template <class B, class Model>
[[nodiscard]] std::vector<double> time_replays([[maybe_unused]] Options const& options,
                                               [[maybe_unused]] typename B::Context& context,
                                               [[maybe_unused]] Model const& model,
                                               [[maybe_unused]] ds::train::Adam<B>& adam,
                                               [[maybe_unused]] ds::train::Ema<B>* ema,
                                               [[maybe_unused]] ds::Tensor<B> const& images,
                                               [[maybe_unused]] std::size_t& bytes) {
  if constexpr (ds::backend::Recordable<B>) {
    auto const schedule = ds::NoiseSchedule::linear();
    ds::train::TrainStep step{
        adam, {.measure_norm = false, .rng = {.seed = 1}}, ds::train::ConstantRate{}, ema};
    ds::train::RecordedStep recorded{step};
    ds::train::Feed<B> feed{context, images.shape()};
    auto const batch = images.values();
    feed.put(std::span{batch});
    auto const work = [&] {
      (void)recorded([&](ds::Tape<B>& tape, ds::train::MicroBatch const& at) {
        return loss_of(tape, model, schedule, feed.tensor(), at.rng);
      });
    };
    while (!recorded.recorded()) work();
    ds::Profile nothing;
    auto const seconds = time_calls(options, work, context, nothing);
    bytes = recorded.reserved_bytes();
    return seconds;
  } else {
    throw std::runtime_error("--graph: this backend records nothing; take --backend cuda");
  }
}

template <class B, class Model>
Json measure(typename B::Context& context, Model const& model, Options const& options, Sizes const& sizes,
             std::size_t bytes_before) {
  auto const schedule = ds::NoiseSchedule::linear();
  Index const batch = options.batch > 0 ? options.batch : sizes.batch;
  auto const list = ds::parameters(model);
  ds::train::Adam<B> adam{list};
  std::unique_ptr<ds::train::Ema<B>> const ema{options.ema ? new ds::train::Ema<B>{list} : nullptr};
  auto const images = ds::diffusion::normal<B>(context, sizes.images(batch), {.seed = 7});
  std::size_t const held = context.memory().live_bytes();
  auto const predicted = ds::estimate(
      [&](ds::backend::DryContext& dry) { pass(model, schedule, ds::Traced<B>{dry, images.shape()}, 0); },
      threads_of(context));

  std::uint64_t step = 0;
  ds::Profile profile;
  std::size_t recorded_bytes = 0;
  auto const step_by_step = [&] {
    pass(model, schedule, images, step++);
    ds::Observed const observed{context.observer(), "adam", ds::Direction::forward};
    if (!ema) return adam.step();
    ema->begin_update();
    adam.step(1, *ema);
    ema->end_update();
  };
  auto const seconds = options.graph
                           ? time_replays<B>(options, context, model, adam, ema.get(), images, recorded_bytes)
                           : time_calls(options, step_by_step, context, profile);
  print_notes(context);
  Json record = record_of("training_step", options, context, model, batch, predicted.flops, seconds,
                          bytes_before, profile);
  record["ema"] = options.ema;
  record["graph"] = options.graph;
  if (options.graph) record["recorded_bytes"] = recorded_bytes;
  record["predicted_bytes"] = held + predicted.touched_bytes;
  return record;
}

}  // namespace

int main(int argc, char** argv) {
  return run_program(
      argc, argv, "How fast a training step is. Prints one JSON line.", []<class B>(Options const& options) {
        std::size_t const bytes_before = process_bytes("VmRSS");
        Sizes const sizes = sizes_of(options.config);
        auto context = experiments::make_context<B>(options.threads);
        ds::UNet<B> const denoiser{context, sizes.denoiser};
        return options.what == "denoiser" ? measure<B>(context, denoiser, options, sizes, bytes_before)
                                          : measure<B>(context, make_diffsiam(context, denoiser, sizes),
                                                       options, sizes, bytes_before);
      });
}
