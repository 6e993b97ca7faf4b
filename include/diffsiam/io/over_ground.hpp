// over_ground: pixels with alpha over one colour. In the encoded values, as Pillow composites, without gamma:
//
//     out = round((alpha * colour + (255 - alpha) * ground) / 255)
#pragma once

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
template <int Colours>
void over_ground(std::uint8_t const* source, std::size_t count, std::array<std::uint8_t, 3> const& ground,
                 std::uint8_t* out) {
  for (std::size_t i = 0; i < count; ++i, source += Colours + 1, out += Colours) {
    unsigned const alpha = source[Colours];
    // Most pixels are all or nothing.
    if (alpha == 255) {
      for (int c = 0; c < Colours; ++c) out[c] = source[c];
    } else if (alpha == 0) {
      for (int c = 0; c < Colours; ++c) out[c] = ground[static_cast<std::size_t>(c)];
    } else {
      for (int c = 0; c < Colours; ++c)
        out[c] = blended(source[c], ground[static_cast<std::size_t>(c)], alpha);
    }
  }
}

}  // namespace diffsiam::io::detail
