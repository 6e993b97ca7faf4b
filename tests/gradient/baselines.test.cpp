#include <tests/gradient/check_case.hpp>

#include <diffsiam/testing/cases/baselines.hpp>

namespace diffsiam::test {

TEST_CASE("The gradients of the baselines are right, and the check would see one 1 % off", "[gradient]") {
  testing::cases::baselines(CheckGradients{{.entries = 4}, 30});
}

}  // namespace diffsiam::test
