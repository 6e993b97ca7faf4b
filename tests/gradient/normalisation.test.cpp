#include <tests/gradient/check_case.hpp>

#include <diffsiam/testing/cases/norms.hpp>

namespace diffsiam::test {

TEST_CASE("The gradients of the group norm operations are right, and the check would see one 1 % off",
          "[gradient]") {
  testing::cases::group_norm(CheckGradients{});
}

TEST_CASE("The gradients of the other norm operations are right, and the check would see one 1 % off",
          "[gradient]") {
  testing::cases::other_norm(CheckGradients{});
}

}  // namespace diffsiam::test
