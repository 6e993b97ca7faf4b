// A loop over recorded steps is the loop over ordinary ones, whenever somebody looks.
#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include <tests/support/catch.hpp>
#include <tests/train/recorded_run.hpp>

#include <diffsiam/testing/stepped_backend.hpp>
#include <diffsiam/train/loop.hpp>

using namespace diffsiam;
using namespace diffsiam::test;
using train::Signal;
using train::StepStatistics;

namespace {

using WatchedRun = RecordedRun<testing::Stepped<float>>;

/// What a run showed on its way.
struct Seen {
  std::vector<std::uint64_t> prepared, told;
  std::vector<double> losses;
  std::vector<std::vector<float>> weights;  ///< at every third step
  std::vector<std::uint64_t> updates;       ///< of the average, there
  std::uint64_t last = 0;
};

/// Step `stop_at` asks for the end; 0: none does.
template <class Step>
Seen watch(WatchedRun& run, Step& step, std::uint64_t stop_at = 0) {
  Seen seen;
  train::Loop loop{{.steps = 10}};
  loop.before_step([&] {
        seen.prepared.push_back(run.step.steps());
        run.put(run.step.steps());
      })
      .on_step([&](StepStatistics const& s) {
        seen.told.push_back(s.step);
        seen.losses.push_back(s.loss);
        return s.step == stop_at ? Signal::stop : Signal::go_on;
      })
      .every(3, [&](StepStatistics const& s) {
        CHECK(run.step.steps() == s.step);
        seen.weights.push_back(all_values<WatchedRun::Backend>(run.net));
        seen.updates.push_back(run.ema.updates());
      });
  seen.last = loop.run(step, run.loss()).step;
  return seen;
}

}  // namespace

TEST_CASE("A loop tells of recorded steps what it tells of ordinary ones", "[train][loop]") {
  WatchedRun ordinary, recorded;
  Seen const expected = watch(ordinary, ordinary.step);
  Seen const actual = watch(recorded, recorded.recorded);
  REQUIRE(recorded.recorded.recorded());
  CHECK(actual.told == std::vector<std::uint64_t>{1, 2, 3, 4, 5, 6, 7, 8, 9, 10});
  CHECK(actual.last == 10);
  CHECK(actual.losses == expected.losses);
  CHECK(actual.weights.size() == 3);
  CHECK(actual.weights == expected.weights);
  CHECK(actual.updates == expected.updates);
  CHECK(all_values<WatchedRun::Backend>(recorded.net) == all_values<WatchedRun::Backend>(ordinary.net));
}

TEST_CASE("A loop prepares each call of its step", "[train][loop]") {
  WatchedRun ordinary, recorded;
  // Micro-batches are fed one by one where they are taken one by one.
  CHECK(watch(ordinary, ordinary.step).prepared ==
        std::vector<std::uint64_t>{0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 8, 9, 9});
  CHECK(watch(recorded, recorded.recorded).prepared ==
        std::vector<std::uint64_t>{0, 1, 2, 3, 4, 5, 6, 7, 8, 9});
}

TEST_CASE("A callback stops recorded steps, once the one under way has been told of", "[train][loop]") {
  WatchedRun run;
  Seen const seen = watch(run, run.recorded, 7);
  CHECK(seen.told == std::vector<std::uint64_t>{1, 2, 3, 4, 5, 6, 7, 8});
  CHECK(seen.last == 8);
  CHECK(run.step.steps() == 8);
  CHECK_FALSE(run.recorded.finish());
}

TEST_CASE("A flag stops recorded steps with nothing left untold", "[train][loop]") {
  WatchedRun run;
  std::atomic<bool> stop = false;
  std::vector<std::uint64_t> told;
  train::Loop loop{{.steps = 10, .stop = &stop}};
  loop.before_step([&] {
        run.put(run.step.steps());
        if (run.step.steps() == 5) stop = true;
      })
      .on_step([&](StepStatistics const& s) { told.push_back(s.step); })
      .on_interrupt([&] {
        CHECK(told.size() == 6);
        return std::string("saved");
      });
  CHECK_THROWS_WITH(loop.run(run.recorded, run.loss()), contains("after step 6 of 10; saved"));
}

namespace {

/// A clock that a test turns; each save takes `cost` seconds.
struct FakeTime {
  double now = 100, cost = 0;
  std::vector<double> saved;  ///< seconds after the start

  [[nodiscard]] train::SaveEvery when(std::uint64_t steps = 0) {
    return {.steps = steps, .clock = [this] { return now; }};
  }
  void save() {
    saved.push_back(now - 100);
    now += cost;
  }
  /// Steps of `seconds` each.
  void run(train::SaveEvery const& config, double seconds, std::uint64_t steps) {
    train::SaveTimer timer{config};
    for (std::uint64_t step = 1; step <= steps; ++step) {
      now += seconds;
      if (timer.due(step)) timer.save(step, [&] { save(); });
    }
  }
};

}  // namespace

TEST_CASE("A run is saved within seconds, then each minute, or after a number of steps", "[train][loop]") {
  FakeTime by_time, by_steps, slow;
  by_time.run(by_time.when(), 0.5, 500);
  CHECK(by_time.saved == std::vector<double>{1, 3, 7, 15, 31, 63, 123, 183, 243});
  by_steps.run(by_steps.when(10), 0.5, 60);
  CHECK(by_steps.saved == std::vector<double>{1, 3, 7, 12, 17, 22, 27});
  slow.run(slow.when(100), 600, 3);
  CHECK(slow.saved == std::vector<double>{600, 1200, 1800});
}

TEST_CASE("Saving takes no more than its share of the time", "[train][loop]") {
  for (double const cost : {0.01, 1.0, 30.0}) {
    FakeTime time;
    time.cost = cost;
    time.run(time.when(10), 0.1, 100000);
    CHECK(time.saved.front() <= 1.01);
    // The first save is not known beforehand; all others keep to it.
    double const saving = cost * static_cast<double>(time.saved.size() - 1);
    CHECK(saving <= 0.01 * 100000 * 0.1);
    CHECK(saving >= 0.005 * std::min(100000 * 0.1, 100000 / 10 * cost / 0.01));
  }
}

TEST_CASE("Settings of saving out of range are refused", "[train][loop]") {
  train::Loop loop{{.steps = 1}};
  CHECK_THROWS_WITH(loop.save({.most_share = 0}, [] {}),
                    contains("most_share in (0, 1]") && contains("got 0"));
  CHECK_THROWS_WITH(loop.save({.seconds = -1}, [] {}), contains("seconds") && contains("-1"));
  CHECK_THROWS_WITH(loop.save({.first = NAN}, [] {}), contains("first") && contains("nan"));
}

TEST_CASE("A loop saves steps that have been told of, and in the end; its results stay the same",
          "[train][loop]") {
  WatchedRun ordinary, recorded, unsaved;
  train::Loop plain{{.steps = 10}};
  plain.before_step([&] { unsaved.put(unsaved.step.steps()); });
  plain.run(unsaved.step, unsaved.loss());
  auto const saved_steps = [&](WatchedRun& run, auto& step) {
    FakeTime time;
    std::vector<std::uint64_t> saved;
    std::uint64_t told = 0;
    train::Loop loop{{.steps = 10}};
    loop.before_step([&] {
          run.put(run.step.steps());
          time.now += 1;
        })
        .on_step([&](StepStatistics const& s) { told = s.step; })
        .save(time.when(), [&] {
          CHECK(told == run.step.steps());
          CHECK(run.ema.updates() == told);
          saved.push_back(told);
        });
    loop.run(step, run.loss());
    CHECK(all_values<WatchedRun::Backend>(run.net) == all_values<WatchedRun::Backend>(unsaved.net));
    return saved;
  };
  // Two micro-batches a step are two seconds, where they are taken one by one.
  CHECK(saved_steps(ordinary, ordinary.step) == std::vector<std::uint64_t>{0, 1, 3, 7, 10});
  CHECK(saved_steps(recorded, recorded.recorded) == std::vector<std::uint64_t>{1, 3, 7, 10});
}

TEST_CASE("A loop saves amid a long step", "[train][loop]") {
  WatchedRun run;
  FakeTime time;
  std::vector<int> micro_batches;
  train::Loop loop{{.steps = 2}};
  loop.before_step([&] {
        run.put(run.step.steps());
        time.now += 3600;
      })
      .save(time.when(), [&] { micro_batches.push_back(run.step.pending().micro_batches); });
  loop.run(run.step, run.loss());
  CHECK(micro_batches == std::vector<int>{1, 0, 1, 0});
}

TEST_CASE("A feed is filled in its place on a backend that records nothing, too, at once or in parts",
          "[train][loop]") {
  using B = backend::Reference<double>;
  B::Context context;
  train::Feed<B> feed{context, {2}};
  Tensor<B> const tensor = feed.tensor();
  feed.put(std::span<float const>(std::vector<float>{1, 2}));
  CHECK(tensor.values() == std::vector<double>{1, 2});
  std::vector<float> const first{3}, second{4};
  feed.put({std::span<float const>(first), std::span<float const>(second)});
  CHECK(tensor.values() == std::vector<double>{3, 4});
  CHECK_THROWS_AS(feed.put(std::span<double const>(std::vector<double>{1, 2, 3})), ShapeError);
}
