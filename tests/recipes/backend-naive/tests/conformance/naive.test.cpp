#include <tests/conformance/check.hpp>

#include <diffsiam/backend/naive.hpp>

namespace diffsiam::test {

TEST_CASE("The Naive backend conforms to the reference", "[conformance]") {
  conforms<backend::Naive<double>>();
}

}  // namespace diffsiam::test
