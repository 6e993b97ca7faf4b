// fit_key: how pictures are decoded and fitted, as text. A cache of pictures is built anew when it changes.
#pragma once

#include <array>
#include <cstdint>
#include <string>

#include <diffsiam/core/text.hpp>
#include <diffsiam/data/fit.hpp>
#include <diffsiam/io/decode_options.hpp>

namespace diffsiam::data {

/// All that the pixels of every picture depend on. Other settings give another text.
[[nodiscard]] inline std::string fit_key(FitConfig const& fit, io::DecodeOptions const& decode) {
  CropBox const box = fit.box.value_or(CropBox{});
  auto const colour = [](std::array<std::uint8_t, 3> const& of) {
    return text({int{of[0]}, " ", int{of[1]}, " ", int{of[2]}});
  };
  return text({"size ",      fit.height,
               " ",          fit.width,
               " ",          fit.channels,
               ", fit ",     static_cast<int>(fit.fit),
               ", filter ",  static_cast<int>(fit.filter),
               ", box ",     box.top,
               " ",          box.left,
               " ",          box.height,
               " ",          box.width,
               ", grounds ", colour(fit.ground),
               ", ",         colour(decode.ground),
               ", at most ", decode.max_pixels,
               " pixels"});
}

}  // namespace diffsiam::data
