// Random numbers from the words of Philox, the same on every device: uniform ones, and normal ones by the
// method of Box and Muller (1958).
#pragma once

#include <array>
#include <cstdint>

#include <diffsiam/core/philox.hpp>
#include <diffsiam/functional/math.hpp>

namespace diffsiam::functional {

/// Four numbers in [0, 1), multiples of 2^-24, from the four words of one Philox block.
[[nodiscard]] DIFFSIAM_HOST_DEVICE inline std::array<float, 4> uniforms(
    std::array<std::uint32_t, 4> const& words) {
  std::array<float, 4> result{};
  for (std::size_t i = 0; i < 4; ++i) result[i] = static_cast<float>(words[i] >> 8) * 0x1p-24F;
  return result;
}

/// Four standard normal numbers from the four words of one Philox block; |x| <= 5.8.
[[nodiscard]] DIFFSIAM_HOST_DEVICE inline std::array<float, 4> normals(
    std::array<std::uint32_t, 4> const& words) {
  std::array<float, 4> result{};
  for (std::size_t pair = 0; pair < 4; pair += 2) {
    // In (0, 1], so that the logarithm is finite.
    float const u = (static_cast<float>(words[pair] >> 8) + 1.0F) * 0x1p-24F;
    float const turn = static_cast<float>(words[pair + 1] >> 8) * 0x1p-24F;
    float const radius = functional::sqrt(-2.0F * functional::log(u));
    CosSin const direction = cos_sin_turns(turn);
    result[pair] = radius * direction.cos;
    result[pair + 1] = radius * direction.sin;
  }
  return result;
}

}  // namespace diffsiam::functional
