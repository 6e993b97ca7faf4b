#include <tests/conformance/check.hpp>

#include <diffsiam/backend/cpu/cpu.hpp>

namespace diffsiam::test {

TEST_CASE("The Cpu backend in float conforms to the reference", "[conformance]") {
  conforms<backend::Cpu<float>>();
}

}  // namespace diffsiam::test
