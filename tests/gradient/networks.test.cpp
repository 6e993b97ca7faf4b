#include <tests/gradient/check_case.hpp>

#include <diffsiam/testing/cases/networks.hpp>

namespace diffsiam::test {

// Some entries of every weight, and some derivatives spread over the pass.
constexpr testing::GradientOptions few{.entries = 4};

TEST_CASE("The gradients of the networks are right, and the check would see one 1 % off", "[gradient]") {
  testing::cases::networks(CheckGradients{few, 30});
}

TEST_CASE("The gradients of the encoders are right, and the check would see one 1 % off", "[gradient]") {
  testing::cases::encoders(CheckGradients{few, 30});
}

TEST_CASE("The gradients of the losses are right, and the check would see one 1 % off", "[gradient]") {
  testing::cases::losses(CheckGradients{});
}

}  // namespace diffsiam::test
