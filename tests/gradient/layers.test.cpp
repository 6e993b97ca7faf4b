#include <tests/gradient/check_case.hpp>

#include <diffsiam/testing/cases/layers.hpp>

namespace diffsiam::test {

TEST_CASE("The gradients of the layers are right, and the check would see one 1 % off", "[gradient]") {
  testing::cases::layers(CheckGradients{});
}

TEST_CASE("The gradients of the blocks are right, and the check would see one 1 % off", "[gradient]") {
  testing::cases::blocks(CheckGradients{});
}

}  // namespace diffsiam::test
