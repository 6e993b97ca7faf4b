#include <tests/gradient/check_case.hpp>

#include <diffsiam/testing/cases/loss.hpp>

namespace diffsiam::test {

TEST_CASE("The gradients of the loss operations are right, and the check would see one 1 % off",
          "[gradient]") {
  testing::cases::loss(CheckGradients{});
}

}  // namespace diffsiam::test
