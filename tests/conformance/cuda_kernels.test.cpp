// The kernels of the Cuda backend, without a GPU: stepped through on the host.
#include <tests/conformance/check.hpp>

#include <diffsiam/testing/stepped_backend.hpp>

namespace diffsiam::test {

TEST_CASE("The kernels of the Cuda backend, stepped through on the host, conform to the reference",
          "[conformance]") {
  conforms<testing::Stepped<float>>();
}

}  // namespace diffsiam::test
