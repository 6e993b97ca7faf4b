// What the ranks of a stage agree on, and how each of them runs it.
#include <array>
#include <atomic>
#include <numeric>
#include <sstream>
#include <vector>

#include <tests/dist/ranks.hpp>
#include <tests/dist/siamese_net.hpp>
#include <tests/io/scratch.hpp>

#include <diffsiam/data/loader.hpp>
#include <diffsiam/dist/single_process.hpp>
#include <diffsiam/train/stage.hpp>

using namespace diffsiam;
using namespace diffsiam::test;
using dist::ThreadRank;

namespace {

using B = backend::Cpu<float>;

/// A set of 8 pictures of one pixel.
struct Pictures {
  data::Dataset set;
  [[nodiscard]] data::Dataset const& dataset() const& { return set; }
  void dataset() const&& = delete;
};
Pictures pictures(std::uint8_t first, int label = 0) {
  std::vector<std::uint8_t> pixels(8);
  std::iota(pixels.begin(), pixels.end(), first);
  return {data::Dataset::from(pixels, {8, 1, 1, 1}, std::vector<int>(8, label))};
}

/// Runs a stage of four steps on this rank. The network's seed is always the same, so that ranks agree.
struct RankRun {
  std::ostringstream shown;
  std::vector<std::uint64_t> looks;
  std::vector<float> weights;

  void operator()(ThreadRank& rank, train::StageConfig config, int stop_at = -1) {
    B::Context context{{.threads = 1}};
    SiameseNet<B> const net{context};
    SiameseTraining<B> training{net};
    dist::DataParallel<B> division{rank, nn::parameters(net), {.pieces = 2}};
    training.step.divide(division);
    std::atomic<bool> stop{false};
    train::DataByStep data;
    config.name = "net";
    config.steps = 4;
    config.looks = 2;
    config.look = [&](std::uint64_t step) { looks.push_back(step); };
    config.stop = &stop;
    config.progress = &shown;
    config.on_step = [&](train::StepStatistics const& s) {
      if (stop_at == static_cast<int>(s.step)) stop.store(true);
    };
    try {
      train::Stage{config}.run(training.step, data, SiameseLoss<B>{net, division}, net);
    } catch (...) {
      weights = weights_of(net, &training.ema);
      throw;
    }
    weights = weights_of(net, &training.ema);
  }
};

}  // namespace

TEST_CASE("Rank 0 writes and shows, and all of them look", "[train]") {
  Scratch const scratch;
  std::array<RankRun, 2> runs;
  on_ranks(2, [&](ThreadRank& rank) {
    runs[static_cast<std::size_t>(rank.rank())](rank, {.folder = scratch.folder()});
  });
  CHECK_THAT(runs[0].shown.str(), contains("4/4"));
  CHECK(runs[1].shown.str().empty());
  CHECK(runs[1].looks == std::vector<std::uint64_t>{2, 4});
  CHECK(runs[1].looks == runs[0].looks);
  CHECK(runs[1].weights == runs[0].weights);
  CHECK(std::filesystem::exists(scratch.folder() / "net.safetensors"));
}

TEST_CASE("All ranks stop at the same step, whichever is asked, and one rank goes on", "[train]") {
  Scratch const whole, stopped;
  std::array<RankRun, 2> expected, runs;
  on_ranks(2, [&](ThreadRank& rank) {
    expected[static_cast<std::size_t>(rank.rank())](rank, {.folder = whole.folder()});
  });
  auto const ends = outcomes(2, [&](ThreadRank& rank) {
    runs[static_cast<std::size_t>(rank.rank())](rank, {.folder = stopped.folder()},
                                                rank.rank() == 1 ? 1 : -1);
  });
  // Asked after step 1, agreed on in step 2.
  for (auto const& end : ends)
    CHECK_THAT(message_of(end), contains("stopped on request after step 2 of 4; saved"));
  RankRun alone;
  on_ranks(1, [&](ThreadRank& rank) { alone(rank, {.folder = stopped.folder(), .resume = true}); });
  CHECK(alone.weights == expected[0].weights);
}

TEST_CASE("What differs between ranks ends the stage before it begins", "[train]") {
  Scratch const scratch;
  auto const settings = outcomes(2, [&](ThreadRank& rank) {
    RankRun{}(rank, {.folder = scratch.folder(), .settings = {{"seed", rank.rank()}}});
  });
  for (auto const& end : settings)
    CHECK_THAT(message_of(end), contains("the same settings on all ranks") && contains("on rank 1"));
  CHECK_FALSE(std::filesystem::exists(scratch.folder() / "net.metrics.jsonl"));
}

TEST_CASE("A rank that cannot look ends the others", "[train]") {
  Scratch const scratch;
  auto const ends = outcomes(2, [&](ThreadRank& rank) {
    B::Context context{{.threads = 1}};
    SiameseNet<B> const net{context};
    dist::DataParallel<B> division{rank, nn::parameters(net)};
    train::detail::StageRanks<B> const ranks{&division};
    ranks.guarded([&] {
      if (rank.rank() == 0) throw FileError("the disk is full");
      ranks.meet();
      return 0;
    });
  });
  CHECK_THAT(message_of(ends[0]), contains("the disk is full"));
  CHECK_THAT(message_of(ends[1]), contains("rank 0: the disk is full"));
}

TEST_CASE("Pictures and weights are compared", "[train]") {
  auto const compare = [](auto const& pictures_of, double weight) {
    return outcomes(2, [&](ThreadRank& rank) {
      B::Context context{{.threads = 1}};
      SiameseNet<B> const net{context};
      SiameseTraining<B> training{net};
      if (rank.rank() == 1)
        net.first.for_each_child([&](auto const&, auto const& parameter) {
          if (weight != 0) parameter.value().fill(static_cast<float>(weight));
        });
      dist::DataParallel<B> division{rank, nn::parameters(net)};
      train::detail::StageRanks<B> const ranks{&division};
      ranks.require_same_data(pictures_of(rank.rank()));
      ranks.require_same_start(training.step);
    });
  };
  CHECK(message_of(compare([](int) { return pictures(0); }, 0)[0]).empty());
  CHECK_THAT(message_of(compare([](int rank) { return pictures(rank == 1 ? 3 : 0); }, 0)[1]),
             contains("the same pictures") && contains("pixels"));
  CHECK_THAT(message_of(compare([](int rank) { return pictures(0, rank); }, 0)[0]),
             contains("the same pictures") && contains("labels"));
  CHECK_THAT(message_of(compare([](int) { return pictures(0); }, 0.5)[0]),
             contains("the same weights") && contains("first.weight"));
}

TEST_CASE("One process has nobody to agree with", "[train]") {
  train::detail::StageRanks<B> const ranks{nullptr};
  std::atomic<bool> stop{false};
  CHECK(ranks.first());
  CHECK(ranks.agreed(true));
  CHECK_FALSE(ranks.agreed(false));
  CHECK(ranks.agreed_stop(&stop) == &stop);
  CHECK_NOTHROW(ranks.meet());
}
