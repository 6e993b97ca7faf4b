// What the pixels of a picture depend on, as text: its file, and how it is decoded and fitted. A cache of
// pictures is built anew if one of these texts changes.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <string>

#include <sys/stat.h>

#include <diffsiam/core/text.hpp>
#include <diffsiam/data/fit.hpp>
#include <diffsiam/io/decode_options.hpp>

namespace diffsiam::data {

/// The path of a file, its size and the time of its last change.
[[nodiscard]] inline std::string file_key(std::filesystem::path const& path) {
  struct stat status{};
  if (::stat(path.c_str(), &status) != 0) return text({path.string(), " is not there"});
  return text({path.string(), " ", status.st_size, " ", status.st_mtim.tv_sec, ".", status.st_mtim.tv_nsec});
}

/// All settings of both structs. Other settings give another text.
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
