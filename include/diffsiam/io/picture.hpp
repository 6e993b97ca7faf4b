// Picture: a picture for people to look at, with 8 bits for each channel, gray or RGB, rows from the top.
// Pictures are made from float images in [-1, 1], enlarged, and arranged in grids for reports.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <diffsiam/core/error.hpp>
#include <diffsiam/tensor/tensor.hpp>

namespace diffsiam::io {

/// pixels[(y * width + x) * channels + c]; one channel means gray, three mean RGB.
/// `height` and `width` are in pixels, `channels` is 1 or 3, and `pixels` are in 0..255.
struct Picture {
  int height = 0;
  int width = 0;
  int channels = 1;
  std::vector<std::uint8_t> pixels{};

  [[nodiscard]] bool operator==(Picture const&) const = default;
};

namespace detail {

[[nodiscard]] inline std::string shown_extents(int height, int width, int channels) {
  return "(" + std::to_string(height) + ", " + std::to_string(width) + ", " + std::to_string(channels) + ")";
}
[[nodiscard]] inline std::string shown_extents(Picture const& picture) {
  return shown_extents(picture.height, picture.width, picture.channels);
}

/// Number of bytes of such a picture. Throws ShapeError for invalid extents, and for 2^31 bytes or more.
[[nodiscard]] inline std::size_t pixel_bytes(std::int64_t height, std::int64_t width, int channels,
                                             std::string_view operation) {
  constexpr std::int64_t limit = std::numeric_limits<std::int32_t>::max();
  bool const possible = height > 0 && width > 0 && (channels == 1 || channels == 3);
  if (!possible || height > limit || width > limit || height > limit / width / channels)
    fail<ShapeError>(
        operation, "positive height and width, 1 or 3 channels, and less than 2^31 bytes",
        "(" + std::to_string(height) + ", " + std::to_string(width) + ", " + std::to_string(channels) + ")");
  return static_cast<std::size_t>(height * width * channels);
}

inline void require_picture(Picture const& picture, std::string_view operation) {
  if (picture.pixels.size() != pixel_bytes(picture.height, picture.width, picture.channels, operation))
    fail<ShapeError>(operation, "as many pixels as " + shown_extents(picture) + " says",
                     picture.pixels.size());
}

/// Copies `source` into `target` with its upper left corner at (top, left). Gray is converted to RGB if
/// needed.
inline void paste(Picture const& source, Picture& target, int top, int left) {
  auto const offset = [](Picture const& picture, int y, int x) {
    return (static_cast<std::size_t>(y) * static_cast<std::size_t>(picture.width) +
            static_cast<std::size_t>(x)) *
           static_cast<std::size_t>(picture.channels);
  };
  for (int y = 0; y < source.height; ++y)
    for (int x = 0; x < source.width; ++x)
      for (int c = 0; c < target.channels; ++c)
        target.pixels[offset(target, top + y, left + x) + static_cast<std::size_t>(c)] =
            source.pixels[offset(source, y, x) + static_cast<std::size_t>(source.channels == 1 ? 0 : c)];
}

}  // namespace detail

/// A picture in one shade. Throws ShapeError for invalid extents.
[[nodiscard]] inline Picture blank_picture(int height, int width, int channels, std::uint8_t shade) {
  std::size_t const bytes = detail::pixel_bytes(height, width, channels, "blank_picture");
  return {.height = height, .width = width, .channels = channels, .pixels = std::vector(bytes, shade)};
}

/// Maps [-1, 1] to 0..255, clamped and rounded; NaN becomes 0.
template <class T>
[[nodiscard]] std::uint8_t pixel_from_unit(T value) {
  T const scaled = (value + T{1}) * T{127.5};
  if (!(scaled > T{0})) return 0;
  return static_cast<std::uint8_t>(std::lround(std::min(scaled, T{255})));
}

/// `count` pictures from float images in [-1, 1], as (count, height, width, channels). Throws ShapeError
/// unless the number of values fits.
template <class T>
[[nodiscard]] std::vector<Picture> pictures_from_unit(std::span<T const> values, int count, int height,
                                                      int width, int channels) {
  std::size_t const each = detail::pixel_bytes(height, width, channels, "pictures_from_unit");
  if (count < 0 || values.size() != each * static_cast<std::size_t>(count))
    fail<ShapeError>(
        "pictures_from_unit",
        std::to_string(count) + " times " + detail::shown_extents(height, width, channels) + " values",
        values.size());
  if (count == 0) return {};  // the extents may be larger than memory
  std::vector<Picture> pictures(static_cast<std::size_t>(count), blank_picture(height, width, channels, 0));
  for (std::size_t i = 0; i < values.size(); ++i)
    pictures[i / each].pixels[i % each] = pixel_from_unit(values[i]);
  return pictures;
}

/// The same for a tensor (n, h, w, c) of any backend.
template <class B>
[[nodiscard]] std::vector<Picture> pictures_from_unit(Tensor<B> const& images) {
  require_rank("pictures_from_unit", 4, images.shape(), "(n, h, w, c)");
  auto const values = images.template values<float>();
  auto const extent = [&](int axis) { return static_cast<int>(images.shape()[axis]); };
  return pictures_from_unit(std::span<float const>{values}, extent(0), extent(1), extent(2), extent(3));
}

/// Enlarges every pixel to factor x factor pixels. Throws ShapeError for a factor below 1.
[[nodiscard]] inline Picture upscale(Picture const& picture, int factor) {
  detail::require_picture(picture, "upscale");
  if (factor < 1) fail<ShapeError>("upscale", "a factor of at least 1", factor);
  std::int64_t const height = std::int64_t{picture.height} * factor;
  std::int64_t const width = std::int64_t{picture.width} * factor;
  std::size_t const bytes = detail::pixel_bytes(height, width, picture.channels, "upscale");
  Picture result{.height = static_cast<int>(height),
                 .width = static_cast<int>(width),
                 .channels = picture.channels,
                 .pixels = std::vector<std::uint8_t>(bytes)};
  auto const channels = static_cast<std::size_t>(picture.channels);
  auto out = result.pixels.begin();
  for (int y = 0; y < result.height; ++y) {
    for (int x = 0; x < result.width; ++x) {
      auto const pixel = static_cast<std::size_t>(y / factor) * static_cast<std::size_t>(picture.width) +
                         static_cast<std::size_t>(x / factor);
      out =
          std::copy_n(picture.pixels.begin() + static_cast<std::ptrdiff_t>(pixel * channels), channels, out);
    }
  }
  return result;
}

/// Pictures of equal extents in rows of `columns`, with `padding` pixels of `background` between them and
/// none around. The last row may be incomplete. Throws ShapeError for no pictures, different extents, or no
/// columns.
[[nodiscard]] inline Picture grid(std::span<Picture const> pictures, int columns, int padding = 1,
                                  std::uint8_t background = 255) {
  if (pictures.empty() || columns < 1 || padding < 0)
    fail<ShapeError>("grid", "at least one picture, one column, and padding of at least 0",
                     std::to_string(pictures.size()) + " pictures, " + std::to_string(columns) +
                         " columns, padding " + std::to_string(padding));
  Picture const& first = pictures.front();
  for (Picture const& picture : pictures) {
    detail::require_picture(picture, "grid");
    if (picture.height != first.height || picture.width != first.width || picture.channels != first.channels)
      fail<ShapeError>("grid", "pictures of equal extents, " + detail::shown_extents(first),
                       detail::shown_extents(picture));
  }
  auto const count = static_cast<std::int64_t>(pictures.size());
  std::int64_t const across = std::min<std::int64_t>(columns, count);
  std::int64_t const down = (count + across - 1) / across;
  std::int64_t const height = down * first.height + (down - 1) * padding;
  std::int64_t const width = across * first.width + (across - 1) * padding;
  std::size_t const bytes = detail::pixel_bytes(height, width, first.channels, "grid");
  Picture result{.height = static_cast<int>(height),
                 .width = static_cast<int>(width),
                 .channels = first.channels,
                 .pixels = std::vector(bytes, background)};
  for (std::int64_t i = 0; i < count; ++i)
    detail::paste(pictures[static_cast<std::size_t>(i)], result,
                  static_cast<int>(i / across * (first.height + padding)),
                  static_cast<int>(i % across * (first.width + padding)));
  return result;
}

/// Pictures of any extents in one row, aligned at the top. The result is RGB if one of them is. Throws
/// ShapeError for no pictures.
[[nodiscard]] inline Picture side_by_side(std::span<Picture const> pictures, int padding = 2,
                                          std::uint8_t background = 255) {
  if (pictures.empty() || padding < 0)
    fail<ShapeError>("side_by_side", "at least one picture, and padding of at least 0",
                     std::to_string(pictures.size()) + " pictures, padding " + std::to_string(padding));
  std::int64_t width = (static_cast<std::int64_t>(pictures.size()) - 1) * padding;
  int height = 0;
  int channels = 1;
  for (Picture const& picture : pictures) {
    detail::require_picture(picture, "side_by_side");
    width += picture.width;
    height = std::max(height, picture.height);
    channels = std::max(channels, picture.channels);
  }
  std::size_t const bytes = detail::pixel_bytes(height, width, channels, "side_by_side");
  Picture result{.height = height,
                 .width = static_cast<int>(width),
                 .channels = channels,
                 .pixels = std::vector(bytes, background)};
  int left = 0;
  for (Picture const& picture : pictures) {
    detail::paste(picture, result, 0, left);
    left += picture.width + padding;
  }
  return result;
}

}  // namespace diffsiam::io
