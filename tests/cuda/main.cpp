// Runs the tests of the Cuda backend, or says why it does not: 77 is ctest's word for skipped.
#define CATCH_CONFIG_RUNNER
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include <tests/support/catch.hpp>

#include <diffsiam/backend/cuda/context.hpp>

int main(int argc, char** argv) {
  if (diffsiam::backend::cuda::device_count() == 0) {
    char const* const required = std::getenv("DIFFSIAM_REQUIRE_GPU");
    bool const fails = required != nullptr && std::string_view{required} == "1";
    std::puts(fails ? "failed: DIFFSIAM_REQUIRE_GPU=1, and there is no CUDA device"
                    : "skipped: no CUDA device here");
    return fails ? 1 : 77;
  }
  return Catch::Session().run(argc, argv);
}
