#include <cstddef>
#include <span>
#include <string_view>
#include <vector>

#include <tests/support/catch.hpp>

#include <diffsiam/io/crc32c.hpp>

using namespace diffsiam;

TEST_CASE("CRC-32C is that of RFC 3720, B.4", "[io][crc32c]") {
  auto const of = [](std::string_view text) { return io::crc32c(std::as_bytes(std::span(text))); };
  CHECK(of("") == 0);
  CHECK(of("123456789") == 0xE3069283U);
  CHECK(io::crc32c(std::vector<std::byte>(32)) == 0x8A9136AAU);
  CHECK(io::crc32c(std::vector<std::byte>(32, std::byte{0xFF})) == 0x62A8AB43U);
}
