// over_ground: pixels with alpha over one colour. In the encoded values, as Pillow composites, without gamma:
//
//     out = round((alpha * colour + (255 - alpha) * ground) / 255)
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

namespace diffsiam::io::detail {

[[nodiscard]] constexpr std::uint8_t blended(unsigned colour, unsigned ground, unsigned alpha) {
  unsigned const sum = alpha * colour + (255 - alpha) * ground + 128;
  return static_cast<std::uint8_t>((sum + (sum >> 8)) >> 8);  // the rounded quotient by 255, exactly
}

/// `count` pixels of Colours channels and alpha become as many of Colours channels. `out` may be `source`
/// itself, since no pixel is written before it is read.
template <std::size_t Colours>
void over_ground(std::uint8_t const* source, std::size_t count, std::array<std::uint8_t, 3> const& ground,
                 std::uint8_t* out) {
  constexpr std::size_t step = Colours + 1;
  auto const blend = [&](std::size_t pixels) {
    for (std::size_t i = 0; i < pixels; ++i, source += step, out += Colours)
      for (std::size_t c = 0; c < Colours; ++c) out[c] = blended(source[c], ground[c], source[Colours]);
  };
  // Most pixels are all or nothing, and so are their neighbours.
  constexpr std::size_t group = 4;
  std::array<std::uint8_t, group * Colours> grounds;
  for (std::size_t i = 0; i < grounds.size(); ++i) grounds[i] = ground[i % Colours];
  for (; count >= group; count -= group) {
    unsigned any = 0, all = 255;
    for (std::size_t i = 0; i < group; ++i) {
      any |= source[i * step + Colours];
      all &= source[i * step + Colours];
    }
    if (any == 0) {
      std::copy_n(grounds.data(), grounds.size(), out);
    } else if (all == 255) {
      for (std::size_t i = 0; i < group; ++i)
        for (std::size_t c = 0; c < Colours; ++c) out[i * Colours + c] = source[i * step + c];
    } else {
      blend(group);
      continue;
    }
    source += group * step;
    out += group * Colours;
  }
  blend(count);
}

}  // namespace diffsiam::io::detail
