#include <tests/value/check_readings.hpp>

#include <diffsiam/testing/cases/product.hpp>

namespace diffsiam::test {

TEST_CASE("All readings of the product operations agree") {
  testing::cases::product(CheckReadings{});
}

TEST_CASE("All readings of the convolution operations agree") {
  testing::cases::convolution(CheckReadings{});
}

}  // namespace diffsiam::test
