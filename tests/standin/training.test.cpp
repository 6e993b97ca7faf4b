// Twenty steps of training of the Cuda backend on the stand-in follow those on the host.
#include "training.hpp"

#include <cmath>
#include <cstddef>

#include <tests/support/catch.hpp>

#include <diffsiam/backend/cpu.hpp>
#include <diffsiam/backend/cuda.cuh>

namespace diffsiam::test {

Course const& host_course() {
  static Course const course = train<backend::Cpu<float>>(course_steps);
  return course;
}

TEST_CASE("Training on the stand-in follows training on the host", "[training]") {
  Course const& host = host_course();
  Course const device = train<backend::Cuda<float>>(course_steps);
  REQUIRE(device.weights.size() == host.weights.size());
  // As in tests/cuda/training.test.cu: where a gradient is near zero, the sign of Adam's first step may turn.
  std::size_t apart = 0;
  for (std::size_t i = 0; i < host.weights.size(); ++i)
    apart += std::abs(device.weights[i] - host.weights[i]) > 1e-5 ? 1 : 0;
  CHECK(apart <= host.weights.size() / 1000);
  REQUIRE(device.losses.size() == course_steps);
  for (std::size_t i = 0; i < course_steps; ++i) {
    CAPTURE(i);
    CHECK(device.losses[i] == Approx(host.losses[i]).epsilon(0.01));
  }
}

}  // namespace diffsiam::test
