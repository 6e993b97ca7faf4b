// Philox4x32-10, the counter-based generator of Salmon et al., "Parallel random numbers: as easy as 1, 2, 3"
// (SC 2011). A draw is a pure function of key and counter, so it depends neither on order nor on threads.
#pragma once

#include <array>
#include <cstdint>

#include <diffsiam/config.hpp>

namespace diffsiam {

/// Ten rounds of Philox4x32 on one 128-bit counter with a 64-bit key.
[[nodiscard]] DIFFSIAM_HOST_DEVICE constexpr std::array<std::uint32_t, 4> philox4x32(
    std::array<std::uint32_t, 4> counter, std::array<std::uint32_t, 2> key) {
  for (int round = 0; round < 10; ++round) {
    std::uint64_t const first = std::uint64_t{0xD2511F53u} * counter[0];
    std::uint64_t const second = std::uint64_t{0xCD9E8D57u} * counter[2];
    counter = {
        static_cast<std::uint32_t>(second >> 32) ^ counter[1] ^ key[0], static_cast<std::uint32_t>(second),
        static_cast<std::uint32_t>(first >> 32) ^ counter[3] ^ key[1], static_cast<std::uint32_t>(first)};
    key[0] += 0x9E3779B9u;
    key[1] += 0xBB67AE85u;
  }
  return counter;
}

/// A stream of random numbers: key = (seed, stream), counter = (element, step). The seed is folded to 32 bits
/// beside the 32-bit stream. Draws of different steps and streams are independent.
struct Rng {
  std::uint64_t seed = 0;    ///< of the run
  std::uint32_t stream = 0;  ///< of a use in it: noise, time-steps, a view
  std::uint64_t step = 0;    ///< of training: each step draws new numbers

  /// Four 32-bit words for block `element`.
  [[nodiscard]] DIFFSIAM_HOST_DEVICE constexpr std::array<std::uint32_t, 4> words(
      std::uint64_t element) const {
    return philox4x32({static_cast<std::uint32_t>(element), static_cast<std::uint32_t>(element >> 32),
                       static_cast<std::uint32_t>(step), static_cast<std::uint32_t>(step >> 32)},
                      {static_cast<std::uint32_t>(seed), static_cast<std::uint32_t>(seed >> 32) ^ stream});
  }
  /// An integer in [0, bound), unbiased up to 2^-32, by the multiply-shift method of Lemire (2019).
  [[nodiscard]] DIFFSIAM_HOST_DEVICE constexpr std::uint32_t below(std::uint32_t bound,
                                                                   std::uint64_t element) const {
    return static_cast<std::uint32_t>((std::uint64_t{words(element)[0]} * bound) >> 32);
  }
  /// A float in [0, 1), a multiple of 2^-24.
  [[nodiscard]] DIFFSIAM_HOST_DEVICE constexpr float uniform(std::uint64_t element) const {
    return static_cast<float>(words(element)[0] >> 8) * 0x1p-24F;
  }
  /// The same stream, one step later.
  [[nodiscard]] constexpr Rng next() const { return {seed, stream, step + 1}; }
  /// Another stream of the same seed and step.
  [[nodiscard]] constexpr Rng with_stream(std::uint32_t other) const { return {seed, other, step}; }
  /// The same stream at a given step.
  [[nodiscard]] constexpr Rng at_step(std::uint64_t other) const { return {seed, stream, other}; }
};

}  // namespace diffsiam
