// Training in 16 bits on the device goes where training in float32 on the host goes.
#include <cmath>
#include <numeric>
#include <vector>

#include <tests/cuda/course.hpp>
#include <tests/support/catch.hpp>

#include <diffsiam/backend/cpu.hpp>
#include <diffsiam/backend/cuda.cuh>

namespace diffsiam::test {

TEST_CASE("Training in bfloat16 on the device follows training in float32 on the host", "[training]") {
  Course const host = train<backend::Cpu<float>>(), device = train<backend::Cuda<BFloat16>>();
  CHECK(host.losses != device.losses);  // the policy does something
  auto const mean = [](std::vector<double> const& losses, int from) {
    return std::accumulate(losses.begin() + from, losses.begin() + from + 10, 0.0) / 10;
  };
  for (int from = 0; from < Course::steps; from += 10) {
    CAPTURE(from);
    CHECK(mean(device.losses, from) == Approx(mean(host.losses, from)).epsilon(0.02));
  }
}

}  // namespace diffsiam::test
