#include <tests/gradient/check_case.hpp>

#include <diffsiam/testing/cases/product.hpp>

namespace diffsiam::test {

TEST_CASE("The gradients of the product operations are right, and the check would see one 1 % off",
          "[gradient]") {
  testing::cases::product(CheckGradients{});
}

TEST_CASE("The gradients of the convolution operations are right, and the check would see one 1 % off",
          "[gradient]") {
  testing::cases::convolution(CheckGradients{});
}

}  // namespace diffsiam::test
