// Recorded steps on the stand-in leave the bits that ordinary steps leave.
#include "replays.hpp"

#include <tests/support/catch.hpp>

#include <diffsiam/backend/cuda.cuh>
#include <diffsiam/dist/single_process.hpp>

namespace diffsiam::test {

namespace {

using B = backend::Cuda<float>;

}  // namespace

TEST_CASE("Replays of pieces leave the bits of ordinary steps", "[graph]") {
  RecordedRun<B> ordinary, replayed;
  dist::SingleProcess one;
  int const pieces = GENERATE(1, 2);  // with 2, batch norm meets on a thread of its own
  dist::DataParallel<B> of_ordinary{one, nn::parameters(ordinary.net), {.pieces = pieces}};
  dist::DataParallel<B> of_replayed{one, nn::parameters(replayed.net), {.pieces = pieces}};
  if (pieces > 1) {
    ordinary.step.divide(of_ordinary);
    replayed.step.divide(of_replayed);
  }
  require_same_bits(ordinary, replayed, 7);
}

}  // namespace diffsiam::test
