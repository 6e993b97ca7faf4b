// decode_picture: PNG, JPEG or WebP, whichever the first bytes say. WebP is read where DIFFSIAM_WITH_WEBP is
// defined, as CMake does for diffsiam::pictures when libwebp is installed.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include <diffsiam/io/decode_jpeg.hpp>
#include <diffsiam/io/decode_options.hpp>
#include <diffsiam/io/decode_png.hpp>
#include <diffsiam/io/picture_format.hpp>
#if defined(DIFFSIAM_WITH_WEBP)
#include <diffsiam/io/decode_webp.hpp>
#endif

namespace diffsiam::io {

#if defined(DIFFSIAM_WITH_WEBP)
/// The formats that this build reads, for messages.
inline constexpr std::string_view decoded_formats = "PNG, JPEG or WebP";
#else
/// The formats that this build reads, for messages.
inline constexpr std::string_view decoded_formats = "PNG or JPEG (this build reads no WebP)";
#endif

/// A picture of 8 bits a channel: 1 channel where the file is grey, else 3. Throws FileError for a file that
/// is of another format, truncated or corrupt, or larger than the options allow; ShapeError never.
[[nodiscard]] inline Picture decode_picture(std::span<std::byte const> bytes,
                                            DecodeOptions const& options = {}) {
  switch (picture_format(bytes)) {
    case PictureFormat::png:
      return decode_png(bytes, options);
    case PictureFormat::jpeg:
      return decode_jpeg(bytes, options);
    case PictureFormat::webp:
#if defined(DIFFSIAM_WITH_WEBP)
      return decode_webp(bytes, options);
#endif
    case PictureFormat::other:
      break;
  }
  std::string_view const format = picture_format_name(bytes);
  std::string actual = bytes.empty() ? "an empty file" : "a file of another kind";
  if (!format.empty()) actual = format;
  fail<FileError>("decode_picture", {detail::shown_name(options), " to be ", decoded_formats}, actual,
                  "convert it first");
}

}  // namespace diffsiam::io
