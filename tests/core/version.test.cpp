#include <string>

#include <tests/support/catch.hpp>

#include <diffsiam/core/version.hpp>

TEST_CASE("The version is three numbers with points between") {
  std::string const expected = std::to_string(DIFFSIAM_VERSION_MAJOR) + "." +
                               std::to_string(DIFFSIAM_VERSION_MINOR) + "." +
                               std::to_string(DIFFSIAM_VERSION_PATCH);
  CHECK(diffsiam::version() == expected);
}
