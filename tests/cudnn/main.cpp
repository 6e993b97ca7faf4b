// Asks cuDNN for plans without a device, or says why not: 77 is ctest's word for skipped.
#define CATCH_CONFIG_RUNNER
#include <algorithm>
#include <cstdio>
#include <iterator>

#include <tests/cudnn/device.hpp>
#include <tests/support/catch.hpp>

int main(int argc, char** argv) {
  using diffsiam::test::known_cudnn;
  std::size_t const version = cudnnGetVersion();
  if (std::find(std::begin(known_cudnn), std::end(known_cudnn), version) == std::end(known_cudnn)) {
    std::printf(
        "skipped: the answers of cuDNN %zu were never read; known_cudnn is in tests/cudnn/device.hpp\n",
        version);
    return 77;
  }
  return Catch::Session().run(argc, argv);
}
