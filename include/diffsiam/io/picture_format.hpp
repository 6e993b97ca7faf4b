// PictureFormat: what a file is, by its first bytes. Its name means nothing.
#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <string_view>

namespace diffsiam::io {

/// The formats that are told apart.
enum class PictureFormat { png, jpeg, webp, other };

namespace detail {

struct Magic {
  std::size_t at;
  std::string_view bytes;
  PictureFormat format;
  std::string_view name;
};

// NOLINTNEXTLINE(bugprone-string-literal-with-embedded-nul): magic bytes are such
inline constexpr std::array magics{
    Magic{0, {"\x89PNG\r\n\x1a\n", 8}, PictureFormat::png, "PNG"},
    Magic{0, "\xff\xd8\xff", PictureFormat::jpeg, "JPEG"},
    Magic{8, "WEBP", PictureFormat::webp, "WebP"},
    Magic{0, "GIF8", PictureFormat::other, "GIF"},
    Magic{0, "BM", PictureFormat::other, "BMP"},
    Magic{0, {"II*\0", 4}, PictureFormat::other, "TIFF"},
    Magic{0, {"MM\0*", 4}, PictureFormat::other, "TIFF"},
    Magic{4, "ftypavi", PictureFormat::other, "AVIF"},
    Magic{4, "ftyphe", PictureFormat::other, "HEIC"},
    Magic{4, "ftypmif1", PictureFormat::other, "HEIC"},
    Magic{4, {"JXL \r\n", 6}, PictureFormat::other, "JPEG XL"},
    Magic{0, "\xff\x0a", PictureFormat::other, "JPEG XL"},
    Magic{4, "jP  \r\n", PictureFormat::other, "JPEG 2000"},
    Magic{0, "8BPS", PictureFormat::other, "Photoshop"},
    Magic{0, "%PDF", PictureFormat::other, "PDF"},
    Magic{0, {"\0\0\1\0", 4}, PictureFormat::other, "ICO"},
    Magic{0, "<svg", PictureFormat::other, "SVG"},
    Magic{0, "<?xml", PictureFormat::other, "SVG or other XML"},
    Magic{0, "\xef\xbb\xbf<?xml", PictureFormat::other, "SVG or other XML"},
};

[[nodiscard]] inline Magic const* magic_of(std::span<std::byte const> bytes) {
  std::string_view const text{reinterpret_cast<char const*>(bytes.data()), bytes.size()};
  for (Magic const& magic : magics)
    if (text.size() >= magic.at && text.substr(magic.at).starts_with(magic.bytes)) return &magic;
  return nullptr;
}

}  // namespace detail

/// The format that the first bytes are of; `other` where they are of none of these.
[[nodiscard]] inline PictureFormat picture_format(std::span<std::byte const> bytes) {
  detail::Magic const* const magic = detail::magic_of(bytes);
  return magic == nullptr ? PictureFormat::other : magic->format;
}

/// "PNG", "GIF", "SVG" and such, also of formats that are not read; "" of unknown ones.
[[nodiscard]] inline std::string_view picture_format_name(std::span<std::byte const> bytes) {
  detail::Magic const* const magic = detail::magic_of(bytes);
  return magic == nullptr ? "" : magic->name;
}

}  // namespace diffsiam::io
