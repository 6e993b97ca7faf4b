#include <cmath>
#include <limits>

#include <tests/support/catch.hpp>

#include <diffsiam/io/format_number.hpp>

using diffsiam::io::format_fixed;
using diffsiam::io::format_number;

TEST_CASE("numbers are written as people write them", "[io][format_number]") {
  CHECK(format_number(0.25) == "0.25");
  CHECK(format_number(1200) == "1200");
  CHECK(format_number(1e-5) == "1e-05");
  CHECK(format_number(1.0 / 3, 3) == "0.333");
  CHECK(format_number(-0.0) == "0");
  CHECK(format_number(std::nan("")) == "NaN");
  CHECK(format_number(-std::numeric_limits<double>::infinity()) == "-infinity");
  CHECK(format_fixed(0.8415, 3) == "0.842");
  CHECK(format_fixed(2, 2) == "2.00");
  CHECK(format_fixed(-0.001, 2) == "0.00");
  CHECK(format_fixed(-1.5, 0) == "-2");
  CHECK(format_fixed(std::nan(""), 2) == "NaN");
  CHECK(format_fixed(1e300, 2) == "1e+300");
}
