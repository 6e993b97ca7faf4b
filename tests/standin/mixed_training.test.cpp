// Twenty steps of training in bfloat16 on the stand-in go where those in float32 on the host go.
#include <numeric>
#include <vector>

#include <tests/support/catch.hpp>

#include <diffsiam/backend/cuda.cuh>

#include "training.hpp"

namespace diffsiam::test {

TEST_CASE("Training in bfloat16 on the stand-in follows training in float32 on the host", "[training]") {
  Course const& host = host_course();
  Course const device = train<backend::Cuda<BFloat16>>(course_steps);
  CHECK(host.losses != device.losses);  // the policy does something
  auto const mean = [](std::vector<double> const& losses, unsigned from) {
    return std::accumulate(losses.begin() + from, losses.begin() + from + 10, 0.0) / 10;
  };
  for (unsigned from = 0; from < course_steps; from += 10) {
    CAPTURE(from);
    CHECK(mean(device.losses, from) == Approx(mean(host.losses, from)).epsilon(0.02));
  }
}

}  // namespace diffsiam::test
