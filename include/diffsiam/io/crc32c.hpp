// CRC-32C (Castagnoli): the checksum of TensorFlow's record files, RFC 3720, appendix B.4.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace diffsiam::io {

namespace detail {

/// The remainder that each byte leaves, for reflected bits.
[[nodiscard]] consteval std::array<std::uint32_t, 256> crc32c_table() {
  constexpr std::uint32_t polynomial = 0x82F63B78U;
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t byte = 0; byte < 256; ++byte) {
    std::uint32_t remainder = byte;
    for (int bit = 0; bit < 8; ++bit)
      remainder = (remainder >> 1) ^ ((remainder & 1U) != 0 ? polynomial : 0U);
    table[byte] = remainder;
  }
  return table;
}

inline constexpr std::array<std::uint32_t, 256> crc32c_of_byte = crc32c_table();

}  // namespace detail

/// The checksum of `bytes`: 0xE3069283 of "123456789".
[[nodiscard]] inline std::uint32_t crc32c(std::span<std::byte const> bytes) {
  std::uint32_t remainder = ~0U;
  for (std::byte const byte : bytes)
    remainder =
        detail::crc32c_of_byte[(remainder ^ std::to_integer<std::uint32_t>(byte)) & 0xFFU] ^ (remainder >> 8);
  return ~remainder;
}

}  // namespace diffsiam::io
