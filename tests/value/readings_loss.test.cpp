#include <tests/value/check_readings.hpp>

#include <diffsiam/testing/cases/loss.hpp>

namespace diffsiam::test {

TEST_CASE("All readings of the loss operations agree") {
  testing::cases::loss(CheckReadings{});
}

}  // namespace diffsiam::test
