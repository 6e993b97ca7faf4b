#include <tests/conformance/check.hpp>

#include <diffsiam/backend/cpu/cpu.hpp>

namespace diffsiam::test {

TEST_CASE("The Cpu backend in double conforms to the reference", "[conformance]") {
  conforms<backend::Cpu<double>>();
}

}  // namespace diffsiam::test
