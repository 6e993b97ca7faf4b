// What the decoders of pictures share: their options, and what is checked before memory is taken.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include <diffsiam/core/error.hpp>
#include <diffsiam/io/picture.hpp>

namespace diffsiam::io {

/// How pictures are decoded, and how large they may be.
struct DecodeOptions {
  /// What shows through transparent pixels: red, green, blue.
  std::array<std::uint8_t, 3> ground{255, 255, 255};
  /// Height times width of the largest picture that is decoded. Above 2^29 none is.
  std::uint64_t max_pixels = 100'000'000;
  /// How messages name the picture, such as its path.
  std::string name{};
};

namespace detail {

/// "'cat.png'", or "the picture".
[[nodiscard]] inline std::string shown_name(DecodeOptions const& options) {
  return options.name.empty() ? "the picture" : "'" + options.name + "'";
}

/// Throws the FileError of bytes that are no intact picture: "decode_png: expected 'cat.png' to be an intact
/// PNG, got ...".
[[noreturn]] inline void refuse_picture(std::string_view operation, std::string_view format,
                                        DecodeOptions const& options, Text const& reason) {
  fail<FileError>(operation, {shown_name(options), " to be an intact ", format}, reason);
}

/// Throws FileError when a header declares no pixel, or more than the options allow.
inline void require_pixels(std::string_view operation, DecodeOptions const& options, std::uint64_t height,
                           std::uint64_t width) {
  constexpr std::uint64_t possible = (1U << 29) - 1;  // with alpha in less than 2^31 bytes
  std::uint64_t const most = std::min(options.max_pixels, possible);
  if (height < 1 || width < 1 || height > most / width)
    fail<FileError>(operation, {shown_name(options), " to have 1 .. ", most, " pixels"},
                    {height, " x ", width}, "DecodeOptions::max_pixels is the limit");
}

/// Throws FileError when a file of `bytes` is too short for what its header declares, since no byte of this
/// format can hold more than `most` of its pixels (or other units). So no small file takes much memory.
inline void require_content(std::string_view operation, DecodeOptions const& options, std::size_t bytes,
                            std::uint64_t declared, std::uint64_t most) {
  if (declared / most > bytes)
    fail<FileError>(operation, {shown_name(options), " to hold what its header declares"},
                    {"a file of ", bytes, " bytes, which is too short for it"});
}

}  // namespace detail
}  // namespace diffsiam::io
