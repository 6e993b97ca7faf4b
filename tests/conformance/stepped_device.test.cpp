// The host that steps through kernels finds what a device would not tell.
#include <cmath>

#include <tests/support/catch.hpp>

#include <diffsiam/backend/cuda/kernels/lane.hpp>
#include <diffsiam/testing/stepped_device.hpp>

namespace diffsiam::test {

namespace {

using namespace backend::cuda;
using testing::SteppedDevice;

/// Sums the numbers of a team's threads.
template <Team team>
struct SumThreads {
  using Shared = TeamMemory<double>;
  static constexpr bool synchronises = true;
  double* sums;
  template <Lane L>
  void operator()(L& lane, Shared& memory) const {
    auto const own = static_cast<double>(lane.block() * block_threads + lane.thread());
    sums[lane.block() * block_threads + lane.thread()] =
        combine_team<team>(lane, memory, own, [](double a, double b) { return a + b; });
  }
};

/// Some threads never come.
struct LeavesBeforeSync {
  struct Shared {};
  static constexpr bool synchronises = true;
  template <Lane L>
  void operator()(L& lane, Shared&) const {
    if (lane.thread() != 70) lane.sync();
  }
};
struct LeavesBeforeExchange {
  struct Shared {};
  static constexpr bool synchronises = true;
  template <Lane L>
  void operator()(L& lane, Shared&) const {
    if (lane.thread() != 70) (void)lane.exchange(1.0F, 1);
  }
};
/// Reads what another thread writes, without waiting for it.
struct ReadsTooSoon {
  struct Shared {
    float value[block_threads];
  };
  static constexpr bool synchronises = true;
  float* out;
  template <Lane L>
  void operator()(L& lane, Shared& shared) const {
    shared.value[lane.thread()] = 1;
    out[lane.thread()] = shared.value[(lane.thread() + 1) % block_threads];
  }
};
struct Throws {
  struct Shared {};
  static constexpr bool synchronises = true;
  template <Lane L>
  void operator()(L& lane, Shared&) const {
    lane.sync();
    if (lane.thread() == 3) throw RangeError("thread 3");
  }
};

}  // namespace

TEMPLATE_TEST_CASE_SIG("A team combines its threads' values on every lane", "", ((Team team), team),
                       Team::warp, Team::block) {
  SteppedDevice::Context context;
  constexpr int blocks = 2, threads = team_threads<team>;
  std::vector<double> sums(blocks * block_threads);
  SteppedDevice::launch(context, blocks, SumThreads<team>{sums.data()});
  for (std::size_t i = 0; i < sums.size(); ++i) {
    double const first = static_cast<double>(i / threads * threads);
    REQUIRE(sums[i] == threads * first + threads * (threads - 1) / 2.0);
  }
}

TEST_CASE("Threads that part ways are found") {
  SteppedDevice::Context context;
  CHECK_THROWS_WITH(SteppedDevice::launch(context, 1, LeavesBeforeSync{}), contains("255 of 256 threads"));
  CHECK_THROWS_WITH(SteppedDevice::launch(context, 1, LeavesBeforeExchange{}), contains("a whole warp"));
  CHECK_THROWS_AS(SteppedDevice::launch(context, 1, Throws{}), RangeError);
}

TEST_CASE("Shared memory that is read too soon is not what it will be") {
  SteppedDevice::Context context;
  std::vector<float> out(block_threads);
  SteppedDevice::launch(context, 1, ReadsTooSoon{out.data()});
  CHECK(std::isnan(out[0]));
}

}  // namespace diffsiam::test
