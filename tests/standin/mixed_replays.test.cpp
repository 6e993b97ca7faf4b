// Recorded steps in 16 bits on the stand-in leave the bits that ordinary steps leave.
#include <optional>
#include <type_traits>

#include <tests/support/catch.hpp>

#include <diffsiam/backend/cuda.cuh>

#include "course_run.hpp"
#include "replays.hpp"

namespace diffsiam::test {

TEMPLATE_TEST_CASE("Replays in 16 bits leave the bits of ordinary steps", "[graph]", BFloat16, Half) {
  std::optional<train::LossScaler::Config> scaling;
  if constexpr (std::is_same_v<TestType, Half>) scaling.emplace();
  RecordedRun<backend::Cuda<TestType>> ordinary{16, scaling}, replayed{16, scaling};
  require_same_bits(ordinary, replayed, 7);
}

TEST_CASE("Replays of whole networks in bfloat16 leave the bits of ordinary steps", "[graph]") {
  CourseRun<backend::Cuda<BFloat16>> ordinary, replayed;
  require_same_bits(ordinary, replayed, 6);
}

}  // namespace diffsiam::test
