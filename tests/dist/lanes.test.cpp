#include <set>
#include <stdexcept>
#include <string>
#include <thread>

#include <tests/support/catch.hpp>

#include <diffsiam/dist/lanes.hpp>

using namespace diffsiam;
using namespace diffsiam::test;

TEST_CASE("Lanes that do not meet run one after the other in the caller's thread", "[dist]") {
  std::string log;
  std::set<std::thread::id> threads;
  dist::Lanes lanes{3};
  for (int run = 0; run < 2; ++run)
    lanes.run([&](int lane) {
      log += std::to_string(lane);
      threads.insert(std::this_thread::get_id());
    });
  CHECK(log == "012012");
  CHECK(threads == std::set<std::thread::id>{std::this_thread::get_id()});
}

TEST_CASE("Lanes take turns between meetings", "[dist]") {
  std::string log;
  dist::Lanes lanes{3};
  for (int run = 0; run < 2; ++run) {
    log.clear();
    lanes.run([&](int lane) {
      for (int meeting = 0; meeting < 2; ++meeting) {
        log += std::to_string(lane);
        lanes.meet(lane, [&] { log += "|"; });
      }
      log += std::to_string(lane);
    });
    CHECK(log == "012|012|012");
  }
  dist::Lanes alone{1};
  log.clear();
  alone.run([&](int lane) { alone.meet(lane, [&] { log += "|"; }); });
  CHECK(log == "|");
}

TEST_CASE("An exception in one lane leaves all of them", "[dist]") {
  for (int const failing : {0, 1, 2}) {
    dist::Lanes lanes{3};
    int ended = 0;
    struct Count {
      int& ended;
      ~Count() { ++ended; }
    };
    CHECK_THROWS_WITH(lanes.run([&](int lane) {
      Count const count{ended};
      lanes.meet(lane, [] {});
      if (lane == failing) throw std::runtime_error("lane " + std::to_string(lane));
      lanes.meet(lane, [] {});
    }),
                      contains("lane " + std::to_string(failing)));
    CHECK(ended == 3);
    int runs = 0;
    lanes.run([&](int) { ++runs; });  // as new
    CHECK(runs == 3);
  }
  dist::Lanes lanes{2};
  CHECK_THROWS_WITH(
      lanes.run([&](int lane) { lanes.meet(lane, [] { throw std::runtime_error("meeting"); }); }),
      contains("meeting"));
}

TEST_CASE("Lanes that meet at other points are refused", "[dist]") {
  dist::Lanes lanes{3};
  auto const meet_times = [&](int first, int others) {
    lanes.run([&](int lane) {
      for (int i = 0; i < (lane == 0 ? first : others); ++i) lanes.meet(lane, [] {});
    });
  };
  CHECK_THROWS_WITH(meet_times(1, 2), contains("one that meets more often"));
  CHECK_THROWS_WITH(meet_times(2, 1), contains("one that meets less often"));
  CHECK_THROWS_WITH(meet_times(0, 1), contains("one that meets more often"));
  CHECK_NOTHROW(meet_times(2, 2));
}
