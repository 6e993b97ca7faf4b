// A recorded step whose batch is divided into pieces, on one rank and on several. The device is stepped
// through on the host, and what NCCL would do is done by a stand-in that checks its calls.
#include <array>
#include <atomic>
#include <cmath>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <tests/dist/checked_nccl.hpp>
#include <tests/dist/ranks.hpp>
#include <tests/dist/siamese_net.hpp>
#include <tests/io/scratch.hpp>

#include <diffsiam/dist/single_process.hpp>
#include <diffsiam/testing/stepped_backend.hpp>
#include <diffsiam/train/feed.hpp>
#include <diffsiam/train/recorded_step.hpp>
#include <diffsiam/train/stage.hpp>

using namespace diffsiam;
using namespace diffsiam::test;
using dist::ThreadRank;

namespace {

using B = testing::Stepped<float>;
using Step = train::TrainStep<train::Adam<B>>;

constexpr train::StepConfig plain{.rng = {.seed = 7}};
constexpr Index samples_in_all = 12;

/// A run with batch norm, NT-Xent, dropout, noise, averages and a part of the loss, in 4 pieces.
struct DividedRun {
  B::Context& context;
  SiameseNet<B> net{context};
  train::Adam<B> adam{nn::parameters(net), {.learning_rate = 0.02}};
  train::Ema<B> ema{nn::parameters(net)};
  Step step;
  dist::DataParallel<B> division;
  std::pair<Index, Index> own = division.own_samples(samples_in_all);
  train::Feed<B> first{context, {own.second - own.first, 5}}, second{context, {own.second - own.first, 5}};

  DividedRun(B::Context& on, dist::CommunicatorRef const& ranks, train::StepConfig const& config)
      : context(on),
        step(adam, config, train::ConstantRate{}, &ema),
        division(ranks, nn::parameters(net), {.pieces = 4, .bucket_bytes = 64}) {
    step.divide(division);
  }

  void put(std::uint64_t number) {
    for (std::uint32_t view = 0; view < 2; ++view) {
      auto const samples = random_tensor<B>(context, {samples_in_all, 5}, Rng{11, view, number});
      (view == 0 ? first : second)
          .put(std::span<float const>(samples.samples(own.first, own.second).values()));
    }
  }
  auto loss() {
    return [this](Tape<B>& tape, train::MicroBatch const& at) {
      auto const a = at.part(first.tensor()), b = at.part(second.tensor());
      Index const n = a.shape().samples();
      Tensor<B> const x{context, {2 * n, 5}};
      x.samples(0, n).assign(a);
      x.samples(n, 2 * n).assign(b);
      auto const noise = diffusion::normal<B>(context, x.shape(), at.rng);
      auto const total = net.dropped(tape.input(x + 0.1 * noise));
      return train::Losses<B, 1>{.total = 0.5 * total, .parts = {{{"whole", total.value()}}}, .images = n};
    };
  }
};

/// What a run has told, and left.
struct End {
  std::vector<double> told;
  std::vector<float> weights;
  bool operator==(End const&) const = default;
};

/// Six steps; `step` is that of the run, or records it.
template <class AnyStep>
End trained(DividedRun& run, AnyStep& step) {
  End end;
  auto const tell = [&](std::optional<train::StepStatistics> const& s) {
    if (!s) return;
    if (s->parts.empty()) throw Error("a part is missing");
    end.told.insert(end.told.end(), {static_cast<double>(s->step), s->loss, s->parts[0].value,
                                     s->gradient_norm.value(), static_cast<double>(s->images)});
  };
  for (std::uint64_t i = 0; i < 6; ++i) {
    run.put(i);
    tell(step(run.loss()));
  }
  if constexpr (requires { step.finish(); }) tell(step.finish());
  end.weights = weights_of(run.net, &run.ema);
  return end;
}
End ordinary(train::StepConfig const& config) {
  B::Context context;
  dist::SingleProcess one;
  DividedRun run{context, one, config};
  return trained(run, run.step);
}
End recorded(B::Context& context, dist::CommunicatorRef const& ranks, train::StepConfig const& config) {
  DividedRun run{context, ranks, config};
  train::RecordedStep<Step> step{run.step, {.warm_up = 2}};
  End end = trained(run, step);
  if (!step.recorded()) throw Error("nothing was recorded");
  return end;
}

/// f(rank, context) on ranks with a device each, connected by the stand-in of NCCL.
template <class F>
std::vector<std::exception_ptr> on_devices(int size, F const& f) {
  dist::ThreadRanks nccl{size};
  return outcomes(size, [&](ThreadRank& process) {
    B::Context context;
    CheckedNccl api{nccl, process.rank(), context};
    dist::NcclRank<CheckedNccl> ranks{process, api};
    f(ranks, context);
  });
}

}  // namespace

TEST_CASE("Recorded steps of pieces are the ordinary steps, on any number of ranks", "[train][recorded]") {
  auto const config = GENERATE(
      train::StepConfig{plain},
      train::StepConfig{
          .accumulate = 2, .max_norm = 0.1, .rng = {.seed = 7}, .loss_scaling = train::LossScaler::Config{}});
  End const expected = ordinary(config);
  REQUIRE(expected.told.size() == 30);
  CHECK(std::isfinite(expected.told[1]));
  B::Context context;
  dist::SingleProcess one;
  CHECK(recorded(context, one, config) == expected);
  for (int const size : {2, 3}) {  // of 3 ranks, one has two pieces
    INFO(size << " ranks");
    std::vector<End> ends(static_cast<std::size_t>(size));
    auto const errors = on_devices(size, [&](auto& ranks, B::Context& own) {
      ends[static_cast<std::size_t>(ranks.rank())] = recorded(own, ranks, config);
    });
    for (auto const& error : errors) CHECK(message_of(error).empty());
    for (End const& end : ends) CHECK(end == expected);
  }
}

TEST_CASE("Ranks agree on a stop while steps are replayed", "[train][recorded]") {
  std::array<std::vector<bool>, 2> stops;
  auto const errors = on_devices(2, [&](auto& ranks, B::Context& context) {
    DividedRun run{context, ranks, plain};
    train::RecordedStep<Step> step{run.step, {.warm_up = 1}};
    std::atomic<bool> asked{false};
    run.division.watch(&asked);
    for (std::uint64_t i = 0; i < 4; ++i) {
      run.put(i);
      if (ranks.rank() == 1 && i == 3) asked = true;
      (void)step(run.loss());
      stops[static_cast<std::size_t>(ranks.rank())].push_back(run.division.stop_agreed());
    }
  });
  for (auto const& error : errors) CHECK(message_of(error).empty());
  CHECK(stops[0] == std::vector<bool>{false, false, false, true});
  CHECK(stops[1] == stops[0]);
}

TEST_CASE("A stage of ranks replays, stops on all ranks, and one rank goes on", "[train][recorded]") {
  Scratch const scratch;
  std::array<int, 2> calls{};
  auto const stage = [&](dist::CommunicatorRef const& ranks, B::Context& context, train::StageConfig config,
                         std::uint64_t stop_after) {
    DividedRun run{context, ranks, plain};
    std::atomic<bool> stop{false};
    train::DataByStep data;
    config.name = "net";
    config.steps = 10;
    config.looks = 1;
    config.save.clock = [] { return 0.0; };  // a save tells a step earlier, and none falls due by time
    config.next_batch = [&] { run.put(run.step.steps()); };
    config.stop = &stop;
    config.on_step = [&](train::StepStatistics const& s) {
      if (s.step == stop_after && ranks.rank() == 1) stop = true;
    };
    auto const counted = [&](Tape<B>& tape, train::MicroBatch const& at) {
      ++calls[static_cast<std::size_t>(ranks.rank())];
      return run.loss()(tape, at);
    };
    train::Stage{config}.run(run.step, data, counted, run.net);
    return weights_of(run.net, &run.ema);
  };
  B::Context context;
  dist::SingleProcess one;
  auto const expected = stage(one, context, {.folder = scratch / "whole"}, 0);
  CHECK(calls[0] == 4 * (3 + 1));  // pieces, in steps to warm up and in the one that is recorded
  calls = {};
  auto const ends = on_devices(
      2, [&](auto& ranks, B::Context& own) { (void)stage(ranks, own, {.folder = scratch / "stopped"}, 5); });
  // Step 5 is told once step 6 is queued, and step 7 agrees.
  for (auto const& end : ends)
    CHECK_THAT(message_of(end), contains("stopped on request after step 7 of 10; saved"));
  CHECK(calls == std::array<int, 2>{2 * (3 + 1), 2 * (3 + 1)});
  CHECK(stage(one, context, {.folder = scratch / "stopped", .resume = true}, 0) == expected);
}

TEST_CASE("A replayed loss that is not finite is refused on all ranks, with its rank", "[train][recorded]") {
  std::array<std::vector<float>, 2> before, after;
  auto const errors = on_devices(2, [&](auto& ranks, B::Context& context) {
    auto const r = static_cast<std::size_t>(ranks.rank());
    DividedRun run{context, ranks, plain};
    train::RecordedStep<Step> step{run.step, {.warm_up = 1}};
    for (std::uint64_t i = 0; i < 3; ++i) {
      run.put(i);
      (void)step(run.loss());
    }
    (void)step.finish();
    before[r] = weights_of(run.net, &run.ema);
    std::vector<float> bad(static_cast<std::size_t>(run.first.tensor().size()),
                           ranks.rank() == 1 ? std::numeric_limits<float>::quiet_NaN() : 1.0F);
    run.first.put(std::span<float const>(bad));
    (void)step(run.loss());
    after[r] = weights_of(run.net, &run.ema);
    (void)step.finish();
  });
  for (auto const& error : errors)
    CHECK_THAT(message_of(error), contains("a finite loss at step 4") && contains("on rank"));
  CHECK(after[0] == before[0]);
  CHECK(after[1] == before[0]);
}

TEST_CASE("Ranks that meet on the host are not recorded", "[train][recorded]") {
  auto const errors = outcomes(2, [](ThreadRank& rank) {
    B::Context context;
    DividedRun run{context, rank, plain};
    if (train::RecordedStep<Step>::records(run.step)) throw Error("it says that it records");
    train::RecordedStep<Step> const step{run.step};
  });
  for (auto const& error : errors)
    CHECK_THAT(message_of(error), contains("2 ranks that meet on the host") && contains("NcclRank"));
}
