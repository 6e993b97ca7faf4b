// A loop over recorded steps is the loop over ordinary ones, whenever somebody looks.
#include <atomic>
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

using Run = RecordedRun<testing::Stepped<float>>;

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
Seen watch(Run& run, Step& step, std::uint64_t stop_at = 0) {
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
        seen.weights.push_back(all_values<Run::Backend>(run.net));
        seen.updates.push_back(run.ema.updates());
      });
  seen.last = loop.run(step, run.loss()).step;
  return seen;
}

}  // namespace

TEST_CASE("A loop tells of recorded steps what it tells of ordinary ones", "[train][loop]") {
  Run ordinary, recorded;
  Seen const expected = watch(ordinary, ordinary.step);
  Seen const actual = watch(recorded, recorded.recorded);
  REQUIRE(recorded.recorded.recorded());
  CHECK(actual.told == std::vector<std::uint64_t>{1, 2, 3, 4, 5, 6, 7, 8, 9, 10});
  CHECK(actual.last == 10);
  CHECK(actual.losses == expected.losses);
  CHECK(actual.weights.size() == 3);
  CHECK(actual.weights == expected.weights);
  CHECK(actual.updates == expected.updates);
  CHECK(all_values<Run::Backend>(recorded.net) == all_values<Run::Backend>(ordinary.net));
}

TEST_CASE("A loop prepares each call of its step", "[train][loop]") {
  Run ordinary, recorded;
  // Micro-batches are fed one by one where they are taken one by one.
  CHECK(watch(ordinary, ordinary.step).prepared ==
        std::vector<std::uint64_t>{0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 8, 9, 9});
  CHECK(watch(recorded, recorded.recorded).prepared ==
        std::vector<std::uint64_t>{0, 1, 2, 3, 4, 5, 6, 7, 8, 9});
}

TEST_CASE("A callback stops recorded steps, once the one under way has been told of", "[train][loop]") {
  Run run;
  Seen const seen = watch(run, run.recorded, 7);
  CHECK(seen.told == std::vector<std::uint64_t>{1, 2, 3, 4, 5, 6, 7, 8});
  CHECK(seen.last == 8);
  CHECK(run.step.steps() == 8);
  CHECK_FALSE(run.recorded.finish());
}

TEST_CASE("A flag stops recorded steps with nothing left untold", "[train][loop]") {
  Run run;
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
