// How fast a training step is on several ranks, and what they wait for: forward and backward pass, gradients
// of all ranks, Adam. One JSON line, of rank 0.
//
//   build/bench/benchmarks/ranks --plain                                  one process, batches not divided
//   mpirun -n 1 --bind-to none build/bench/benchmarks/ranks               what MPI costs one rank
//   mpirun -n 2 --bind-to none build/bench/benchmarks/ranks --threads 1   two ranks of one thread
//
// Not for a machine that does other work, and with no more ranks times threads than cores.
// scripts/fit_scaling fits the model of docs/scaling.md to such lines.

#include <chrono>
#include <cstdio>
#include <exception>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include <diffsiam/dist/data_parallel.hpp>
#include <diffsiam/train/adam.hpp>
#include <diffsiam/train/step.hpp>

#include "support/backends.hpp"
#include "support/measure.hpp"
#include "support/models.hpp"
#include <experiments/support/ranks.hpp>

namespace {

using namespace bench;
using Clock = std::chrono::steady_clock;

[[nodiscard]] double seconds_between(Clock::time_point from, Clock::time_point to) {
  return std::chrono::duration<double>(to - from).count();
}

/// When the first and the last gradients left in a step, and for how long it waited for transfers.
struct Trace {
  std::optional<Clock::time_point> first_left;
  Clock::time_point last_left;
  double waited = 0;
};

/// Another communicator, and a note of when it is used.
class TracedRanks {
 public:
  TracedRanks(ds::dist::CommunicatorRef ranks, Trace& trace) : ranks_(std::move(ranks)), trace_(&trace) {}
  [[nodiscard]] int rank() const { return ranks_.rank(); }
  [[nodiscard]] int size() const { return ranks_.size(); }
  ds::dist::Request start_all_to_all(void const* from, void* to, std::size_t bytes) {
    trace_->last_left = Clock::now();
    if (!trace_->first_left) trace_->first_left = trace_->last_left;
    return traced(ranks_.start_all_to_all(from, to, bytes));
  }
  ds::dist::Request start_all_gather(void const* from, void* to, std::size_t bytes) {
    return traced(ranks_.start_all_gather(from, to, bytes));
  }
  void broadcast(void* data, std::size_t bytes, int root) { ranks_.broadcast(data, bytes, root); }
  void barrier() { ranks_.barrier(); }
  void announce(std::string_view sentence) { ranks_.announce(sentence); }

 private:
  struct Traced final : ds::dist::Transfer {
    ds::dist::Request inner;
    Trace* trace = nullptr;
    bool test() override { return inner.test(); }
    void wait() override {
      auto const start = Clock::now();
      inner.wait();
      trace->waited += seconds_between(start, Clock::now());
    }
  };
  ds::dist::Request traced(ds::dist::Request request) {
    auto transfer = std::make_unique<Traced>();
    transfer->inner = std::move(request);
    transfer->trace = trace_;
    return ds::dist::Request{std::move(transfer)};
  }

  ds::dist::CommunicatorRef ranks_;
  Trace* trace_;
};

struct RankOptions {
  int pieces = 0;  ///< 0: one for each rank
  bool plain = false;
  std::size_t bucket_kib = 1024;
};

template <class B>
void measure(Options const& options, RankOptions const& of_ranks, ds::dist::CommunicatorRef const& ranks) {
  Sizes const sizes = sizes_of(options.config);
  auto context = experiments::make_context<B>(options.threads);
  ds::UNet<B> const denoiser{context, sizes.denoiser};
  auto const model = make_diffsiam(context, denoiser, sizes);
  auto const schedule = ds::NoiseSchedule::linear();
  Index const batch = options.batch > 0 ? options.batch : sizes.batch;
  auto const list = ds::parameters(model);
  ds::train::Adam<B> adam{list};
  ds::train::TrainStep step{adam, {.measure_norm = false, .rng = {.seed = 1}}};
  Trace trace;
  TracedRanks traced{ranks, trace};
  ds::dist::DataParallel<B> division{
      traced, list, {.pieces = of_ranks.pieces, .bucket_bytes = of_ranks.bucket_kib * 1024}};
  if (!of_ranks.plain) step.divide(division);
  Index const own = of_ranks.plain ? batch : batch / division.pieces() * division.own_pieces().size();
  auto const images = ds::diffusion::normal<B>(context, sizes.images(own),
                                               {.seed = 7, .step = static_cast<std::uint64_t>(ranks.rank())});
  Clock::time_point backward_begins;
  auto const loss = [&](ds::Tape<B>& tape, ds::train::MicroBatch const& at) {
    auto const x = at.part(images);
    auto const noised = ds::add_noise(schedule, x, at.rng);
    auto const result = model.diffusion_loss(model.encode(tape.input(x)), noised);
    backward_begins = Clock::now();
    return result;
  };

  std::vector<double> seconds, first_left, hiding, waited;
  double measured = 0;
  for (int call = -options.warm_up; options.steps > 0 ? call < options.steps : call < 5 || measured < 10;
       ++call) {
    ranks.barrier();
    trace = {};
    auto const start = Clock::now();
    (void)step(loss);
    auto const end = Clock::now();
    double words[]{seconds_between(start, end)};
    ranks.broadcast(words, sizeof(words), 0);  // all go on for as long as rank 0
    if (call < 0) continue;
    measured += words[0];
    seconds.push_back(words[0]);
    waited.push_back(trace.waited);
    if (!trace.first_left) continue;
    first_left.push_back(seconds_between(backward_begins, *trace.first_left));
    hiding.push_back(seconds_between(*trace.first_left, trace.last_left));
  }
  if (ranks.rank() != 0) return;
  Index gradients = 0;
  for (auto const& [name, parameter] : list.parameters)
    if (parameter.trainable()) gradients += parameter.shape().size();
  double const middle = median(seconds);
  Json record{{"program", "ranks"},
              {"config", options.config},
              {"backend", options.backend},
              {"ranks", ranks.size()},
              {"threads", options.threads},
              {"plain", of_ranks.plain},
              {"pieces", of_ranks.plain ? 1 : division.pieces()},
              {"batch", batch},
              {"steps", seconds.size()},
              {"seconds", middle},
              {"images_per_second", static_cast<double>(batch) / middle},
              {"gradient_bytes", static_cast<double>(gradients) * sizeof(typename B::Scalar)},
              {"buckets", of_ranks.plain ? 0 : division.buckets()},
              {"waited_seconds", median(waited)}};
  if (!first_left.empty()) {
    record["first_bucket_after_seconds"] = median(first_left);
    record["hiding_seconds"] = median(hiding);
  }
  std::printf("%s\n", record.dump().c_str());
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  RankOptions of_ranks;
  CLI::App app{"How fast a training step is on several ranks. Prints one JSON line.", "ranks"};
  add_options(app, options);
  app.add_option("--pieces", of_ranks.pieces, "of a batch; 0: one for each rank")->capture_default_str();
  app.add_option("--bucket-kib", of_ranks.bucket_kib, "KiB of gradients that leave together")
      ->capture_default_str();
  app.add_flag("--plain", of_ranks.plain, "does not divide batches: the step of one process");
  CLI11_PARSE(app, argc, argv);
  try {
    experiments::with_ranks(60, [&](ds::dist::CommunicatorRef const& ranks) {
      experiments::with_backend(options, [&]<class B>() { measure<B>(options, of_ranks, ranks); });
    });
    return 0;
  } catch (std::exception const& error) {
    std::fprintf(stderr, "ranks: %s\n", error.what());
    return 1;
  }
}
