// decode_webp: WebP files, lossy and lossless, by libwebp (link with -lwebp).
#pragma once

#include <cstddef>
#include <cstdint>
#include <new>
#include <span>
#include <string_view>

#include <webp/decode.h>

#include <diffsiam/core/error.hpp>
#include <diffsiam/io/decode_options.hpp>
#include <diffsiam/io/over_ground.hpp>
#include <diffsiam/io/picture.hpp>

namespace diffsiam::io {

namespace detail {

[[nodiscard]] inline std::string_view webp_reason(VP8StatusCode status) {
  switch (status) {
    case VP8_STATUS_NOT_ENOUGH_DATA:
    case VP8_STATUS_SUSPENDED:
      return "the end of the file";
    case VP8_STATUS_UNSUPPORTED_FEATURE:
      return "a feature that libwebp does not read";
    default:
      return "corrupt data";
  }
}

}  // namespace detail

/// The picture in a WebP file, 3 channels, alpha over the ground. Throws FileError for a file that is no
/// WebP, animated, truncated, corrupt, or larger than the options allow. Colour profiles and EXIF are not
/// applied.
[[nodiscard]] inline Picture decode_webp(std::span<std::byte const> bytes,
                                         DecodeOptions const& options = {}) {
  constexpr std::string_view operation = "decode_webp";
  auto const* const data = reinterpret_cast<std::uint8_t const*>(bytes.data());
  WebPDecoderConfig config{};
  if (WebPInitDecoderConfig(&config) == 0)
    fail<FileError>(operation, "libwebp of the version that was compiled with", "another one");
  auto const require = [&](VP8StatusCode status) {
    if (status == VP8_STATUS_OUT_OF_MEMORY) throw std::bad_alloc();
    if (status != VP8_STATUS_OK)
      detail::refuse_picture(operation, "WebP", options, detail::webp_reason(status));
  };
  require(WebPGetFeatures(data, bytes.size(), &config.input));
  auto const height = static_cast<std::uint64_t>(config.input.height);
  auto const width = static_cast<std::uint64_t>(config.input.width);
  detail::require_pixels(operation, options, height, width);
  if (config.input.has_animation != 0)
    detail::refuse_picture(operation, "WebP of one picture", options, "an animation");

  bool const alpha = config.input.has_alpha != 0;
  std::size_t const channels = alpha ? 4 : 3;
  Picture picture{.height = config.input.height, .width = config.input.width, .channels = 3};
  picture.pixels.resize(height * width * channels);
  config.output.colorspace = alpha ? MODE_RGBA : MODE_RGB;
  config.output.is_external_memory = 1;
  config.output.u.RGBA = {.rgba = picture.pixels.data(),
                          .stride = static_cast<int>(width * channels),
                          .size = picture.pixels.size()};
  require(WebPDecode(data, bytes.size(), &config));
  if (alpha) {  // in place, so that there is no second copy
    detail::over_ground<3>(picture.pixels.data(), height * width, options.ground, picture.pixels.data());
    picture.pixels.resize(height * width * 3);
  }
  return picture;
}

}  // namespace diffsiam::io
