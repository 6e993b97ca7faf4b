#include <cstddef>
#include <span>
#include <string_view>
#include <vector>

#include <tests/support/catch.hpp>

#include <diffsiam/report/base64.hpp>

TEST_CASE("base64 gives the test vectors of RFC 4648", "[report][base64]") {
  auto const encode = [](std::string_view text) {
    return diffsiam::report::encode_base64(std::as_bytes(std::span(text)));
  };
  CHECK(encode("").empty());
  CHECK(encode("f") == "Zg==");
  CHECK(encode("fo") == "Zm8=");
  CHECK(encode("foo") == "Zm9v");
  CHECK(encode("foob") == "Zm9vYg==");
  CHECK(encode("fooba") == "Zm9vYmE=");
  CHECK(encode("foobar") == "Zm9vYmFy");
}

TEST_CASE("base64 knows the last letters and bytes above 127", "[report][base64]") {
  std::vector<std::byte> const bytes{std::byte{0xff}, std::byte{0xef}, std::byte{0xbe}, std::byte{0x00}};
  CHECK(diffsiam::report::encode_base64(bytes) == "/+++AA==");
}
