#include <cmath>
#include <numeric>

#include <tests/support/catch.hpp>

#include <diffsiam/core/thread_pool.hpp>

namespace diffsiam::test {

TEST_CASE("Every piece is done once, whatever the number of threads and pieces") {
  for (int threads : {1, 2, 3, 5}) {
    ThreadPool pool{threads};
    CHECK(pool.threads() == threads);
    for (Index pieces : {Index{0}, Index{1}, Index{2}, Index{7}, Index{1000}}) {
      std::vector<std::atomic<int>> done(static_cast<std::size_t>(pieces));
      std::atomic<bool> known{true};
      pool.run(pieces, [&](Index piece, int worker) {
        ++done[static_cast<std::size_t>(piece)];
        if (worker < 0 || worker >= threads) known = false;
      });
      CHECK(known);
      for (auto const& count : done) REQUIRE(count == 1);
    }
    std::uint64_t total = 0;
    for (int worker = 0; worker < threads; ++worker) total += pool.pieces_done(worker);
    CHECK(total == 1010);
  }
}

TEST_CASE("A worker has one piece at a time") {
  ThreadPool pool{4};
  std::array<std::atomic<int>, 4> inside{};
  std::atomic<bool> alone{true};
  pool.run(500, [&](Index, int worker) {
    auto& count = inside[static_cast<std::size_t>(worker)];
    if (++count != 1) alone = false;
    --count;
  });
  CHECK(alone);
}

TEST_CASE("All threads come to work when there is enough of it") {
  ThreadPool pool{3};
  auto const everyone = [&] {
    return pool.pieces_done(0) > 0 && pool.pieces_done(1) > 0 && pool.pieces_done(2) > 0;
  };
  for (int round = 0; round < 200 && !everyone(); ++round) {
    pool.run(30, [](Index, int) { std::this_thread::sleep_for(std::chrono::milliseconds(1)); });
  }
  CHECK(everyone());
}

TEST_CASE("The exception of a piece arrives at the caller, and the pool goes on") {
  for (int threads : {1, 2, 4}) {
    ThreadPool pool{threads};
    CHECK_THROWS_WITH(pool.run(100,
                               [](Index piece, int) {
                                 if (piece == 37) throw Error("piece 37");
                               }),
                      "piece 37");
    CHECK_THROWS_AS(pool.run(64, [](Index, int) { throw Error("every piece"); }), Error);
    std::atomic<int> done{0};
    pool.run(64, [&](Index, int) { ++done; });
    CHECK(done == 64);
  }
}

TEST_CASE("Results written by piece do not depend on the number of threads") {
  std::vector<double> expected;
  for (int threads : {1, 2, 4}) {
    ThreadPool pool{threads};
    std::vector<double> values(999);
    pool.run(999, [&](Index piece, int) {
      values[static_cast<std::size_t>(piece)] = std::sin(static_cast<double>(piece));
    });
    if (expected.empty()) expected = values;
    CHECK(values == expected);
  }
}

TEST_CASE("A pool that never worked ends, and one that rested wakes") {
  {
    ThreadPool const idle{4};
  }
  ThreadPool pool{2};
  std::this_thread::sleep_for(std::chrono::milliseconds(20));  // long enough to fall asleep
  std::atomic<int> done{0};
  pool.run(10, [&](Index, int) { ++done; });
  CHECK(done == 10);
}

TEST_CASE("0 threads are all cores, and a negative count is refused, or one beyond all sense") {
  CHECK(ThreadPool{}.threads() >= 1);
  CHECK_THROWS_WITH(ThreadPool{-1}, contains("ThreadPool") && contains("-1"));
  CHECK_THROWS_AS(ThreadPool{ThreadPool::most_threads + 1}, ConfigError);
  CHECK_THROWS_WITH(ThreadPool{100000}, "ThreadPool: expected 0 (all cores) to 1024 threads, got 100000");
}

}  // namespace diffsiam::test
