#include <tests/value/check_readings.hpp>

#include <diffsiam/testing/cases/arithmetic.hpp>

namespace diffsiam::test {

TEST_CASE("All readings of the arithmetic operations agree") {
  testing::cases::arithmetic(CheckReadings{});
}

TEST_CASE("All readings of the movement operations agree") {
  testing::cases::movement(CheckReadings{});
}

TEST_CASE("All readings of values of unequal shapes agree") {
  testing::cases::broadcast(CheckReadings{});
}

}  // namespace diffsiam::test
