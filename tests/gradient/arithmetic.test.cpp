#include <tests/gradient/check_case.hpp>

#include <diffsiam/testing/cases/arithmetic.hpp>

namespace diffsiam::test {

TEST_CASE("The gradients of the arithmetic operations are right, and the check would see one 1 % off",
          "[gradient]") {
  testing::cases::arithmetic(CheckGradients{});
}

TEST_CASE("The gradients of the movement operations are right, and the check would see one 1 % off",
          "[gradient]") {
  testing::cases::movement(CheckGradients{});
}

TEST_CASE("The gradients of values of unequal shapes are right, and the check would see one 1 % off",
          "[gradient]") {
  testing::cases::broadcast(CheckGradients{});
}

}  // namespace diffsiam::test
