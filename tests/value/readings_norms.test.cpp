#include <tests/value/check_readings.hpp>

#include <diffsiam/testing/cases/norms.hpp>

namespace diffsiam::test {

TEST_CASE("All readings of the group norm operations agree") {
  testing::cases::group_norm(CheckReadings{});
}

TEST_CASE("All readings of the other norm operations agree") {
  testing::cases::other_norm(CheckReadings{});
}

}  // namespace diffsiam::test
