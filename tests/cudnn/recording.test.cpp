#include <tests/support/catch.hpp>

#include <diffsiam/backend/cuda/recording.hpp>

namespace diffsiam::test {

TEST_CASE("Drivers that load no kernels within a recording are named", "[choice]") {
  CHECK_NOTHROW(backend::cuda::require_recording_driver(13000));
  CHECK_NOTHROW(backend::cuda::require_recording_driver(12030));
  CHECK_THROWS_WITH(backend::cuda::require_recording_driver(12020),
                    contains("CUDA 12.3 or newer") && contains("one for CUDA 12.2"));
}

}  // namespace diffsiam::test
