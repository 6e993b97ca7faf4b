// Writes pictures as PNG files, by libpng's simplified interface (link with -lpng). Equal pictures give equal
// bytes.
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include <png.h>

#include <diffsiam/core/error.hpp>
#include <diffsiam/io/file.hpp>
#include <diffsiam/io/picture.hpp>

namespace diffsiam::io {

/// The bytes of a PNG file with 8 bits for each channel. Throws ShapeError if the number of pixels does not
/// fit the extents, FileError if libpng refuses.
[[nodiscard]] inline std::vector<std::byte> encode_png(Picture const& picture) {
  detail::require_picture(picture, "encode_png");
  png_image image{};
  image.version = PNG_IMAGE_VERSION;
  image.width = static_cast<png_uint_32>(picture.width);
  image.height = static_cast<png_uint_32>(picture.height);
  image.format = picture.channels == 1 ? PNG_FORMAT_GRAY : PNG_FORMAT_RGB;
  // Room for the worst case, so that the picture is compressed only once and not also to learn its size.
  png_alloc_size_t size = PNG_IMAGE_PNG_SIZE_MAX(image);
  std::vector<std::byte> bytes(size);
  int const written =
      png_image_write_to_memory(&image, bytes.data(), &size, 0, picture.pixels.data(), 0, nullptr);
  png_image_free(&image);
  if (written == 0)
    fail<FileError>("encode_png", "a PNG of " + detail::shown_extents(picture),
                    image.message[0] == '\0' ? "no room for it" : image.message);
  bytes.resize(size);
  return bytes;
}

/// Replaces `path` by the picture, atomically. Throws FileError; the old file is unchanged then.
inline void write_png(std::filesystem::path const& path, Picture const& picture) {
  write_file(path, std::span<std::byte const>(encode_png(picture)));
}

}  // namespace diffsiam::io
