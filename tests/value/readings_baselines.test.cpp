#include <tests/value/check_readings.hpp>

#include <diffsiam/testing/cases/baselines.hpp>

namespace diffsiam::test {

TEST_CASE("All readings of the baselines agree") {
  testing::cases::baselines(CheckReadings{});
}

}  // namespace diffsiam::test
