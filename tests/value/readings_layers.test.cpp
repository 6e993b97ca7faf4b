#include <tests/value/check_readings.hpp>

#include <diffsiam/testing/cases/layers.hpp>

namespace diffsiam::test {

TEST_CASE("All readings of the layers agree") {
  testing::cases::layers(CheckReadings{});
}

TEST_CASE("All readings of the blocks agree") {
  testing::cases::blocks(CheckReadings{});
}

}  // namespace diffsiam::test
