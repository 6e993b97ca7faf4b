#include <tests/value/check_readings.hpp>

#include <diffsiam/testing/cases/arithmetic.hpp>

namespace diffsiam::test {

TEST_CASE("All readings of the arithmetic operations agree") {
  testing::cases::arithmetic(CheckReadings{});
}

TEST_CASE("All readings of the movement operations agree") {
  testing::cases::movement(CheckReadings{});
}

}  // namespace diffsiam::test
