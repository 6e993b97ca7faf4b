#include <tests/value/check_readings.hpp>

#include <diffsiam/testing/cases/networks.hpp>

namespace diffsiam::test {

TEST_CASE("All readings of the networks agree") {
  testing::cases::networks(CheckReadings{});
}

TEST_CASE("All readings of the encoders agree") {
  testing::cases::encoders(CheckReadings{});
}

TEST_CASE("All readings of the losses agree") {
  testing::cases::losses(CheckReadings<false>{});
}

}  // namespace diffsiam::test
