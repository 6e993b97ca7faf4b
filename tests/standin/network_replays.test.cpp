// Recorded steps of whole networks on the stand-in leave the bits that ordinary steps leave.
#include <tests/support/catch.hpp>

#include <diffsiam/backend/cuda.cuh>

#include "course_run.hpp"
#include "replays.hpp"

namespace diffsiam::test {

TEST_CASE("Replays of whole networks leave the bits of ordinary steps", "[graph]") {
  CourseRun<backend::Cuda<float>> ordinary, replayed;
  require_same_bits(ordinary, replayed, 6);
}

}  // namespace diffsiam::test
