#include <tests/conformance/check.hpp>

#include <diffsiam/backend/reference/reference.hpp>

namespace diffsiam::test {

TEST_CASE("The Reference backend in float conforms to the reference", "[conformance]") {
  conforms<backend::Reference<float>>();
}

}  // namespace diffsiam::test
