// resize: a picture of another size, antialiased as Pillow's Image.resize does it (its documentation:
// "Concepts", Filters). First along the rows, rounded to 8 bits; then down the columns:
//
//     out[y] = round(sum_i weight[y, i] row[i])
//
// Pixels are Pillow's, but for rare ones that differ by 1: sums are float32 here and integers
// there.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <diffsiam/config.hpp>
#include <diffsiam/core/error.hpp>
#include <diffsiam/data/image_view.hpp>
#include <diffsiam/data/resize_taps.hpp>
#include <diffsiam/io/picture.hpp>

namespace diffsiam::data {

/// A rectangle of a picture. Its sides may lie between pixels.
/// `top` and `left` count from the upper left corner; `height` and `width` are its sides, all in pixels.
struct Region {
  double top = 0;
  double left = 0;
  double height = 0;
  double width = 0;
};

namespace detail {

/// A picture in memory, or a part of one: its rows are `pitch` bytes apart.
struct PixelView {
  std::uint8_t const* pixels;
  int height, width, channels;
  std::size_t pitch;
};

/// To 0..255, halves upwards. Clamped as an integer, which compilers vectorise.
[[nodiscard]] inline int rounded(float value) {
  constexpr float half = 0.5F;
  return std::clamp(static_cast<int>(value + half), 0, 255);
}

/// Rows of pixels, each taken to another width. Products of four pixels at a time are summed in as many lanes
/// for each channel, whose weights are repeated for that.
template <int Channels>
class RowResizer {
 public:
  explicit RowResizer(Taps const& taps) : first_(taps.first), begin_(static_cast<std::size_t>(taps.begin())) {
    each_ = (static_cast<std::size_t>(taps.most) + block - 1) / block * lanes;
    weights_.resize(first_.size() * each_);
    float* weights = weights_.data();
    for (std::size_t x = 0; x < first_.size(); ++x, weights += each_)
      for (std::size_t k = 0; k < static_cast<std::size_t>(taps.count[x]); ++k)
        std::fill_n(weights + k * Channels, Channels, taps.of(static_cast<int>(x))[k]);
    needed_ = (static_cast<std::size_t>(taps.end()) - begin_) * Channels;
    // The last taps are filled up with zeros, which read zeros.
    row_.resize(needed_ + each_);
  }

  /// `row` is a whole row of the source; `out` has one pixel a position, rounded.
  void operator()(std::uint8_t const* row, float* out) {
    row += begin_ * Channels;
    for (std::size_t i = 0; i < needed_; ++i) row_[i] = static_cast<float>(row[i]);
    for (std::size_t x = 0; x < first_.size(); ++x)
      sum(row_.data() + (static_cast<std::size_t>(first_[x]) - begin_) * Channels,
          weights_.data() + x * each_, out + x * Channels);
    for (std::size_t i = 0; i < first_.size() * Channels; ++i) out[i] = static_cast<float>(rounded(out[i]));
  }

 private:
  static constexpr std::size_t block = 4, lanes = block * Channels;

  void sum(float const* pixels, float const* weights, float* out) const {
    float sums[lanes] = {};
    for (std::size_t k = 0; k < each_; k += lanes)
      for (std::size_t i = 0; i < lanes; ++i) sums[i] += weights[k + i] * pixels[k + i];
    for (int c = 0; c < Channels; ++c)
      out[c] = (sums[c] + sums[c + Channels]) + (sums[c + 2 * Channels] + sums[c + 3 * Channels]);
  }

  std::vector<int> first_;
  std::size_t begin_;       ///< the first pixel of a row that is needed
  std::size_t needed_ = 0;  ///< how many values from there on
  std::size_t each_ = 0;    ///< weights of each position
  std::vector<float> weights_, row_;
};

/// Row by row: each is made narrower or wider, and added to the rows of the result that it belongs to. So no
/// picture stands between both steps.
template <int Channels>
void resize(PixelView const& source, Region const& region, int height, int width, Filter filter,
            std::uint8_t* out) {
  Taps const down = taps_of(filter, source.height, region.top, region.height, height);
  RowResizer<Channels> narrow(taps_of(filter, source.width, region.left, region.width, width));
  auto const pitch = static_cast<std::size_t>(width) * Channels;
  std::vector<float> line(pitch), sums(static_cast<std::size_t>(height) * pitch);
  for (int i = down.begin(), from = 0; i < down.end(); ++i) {
    narrow(source.pixels + static_cast<std::size_t>(i) * source.pitch, line.data());
    auto const index = [](int y) { return static_cast<std::size_t>(y); };
    while (down.first[index(from)] + down.count[index(from)] <= i) ++from;
    for (int y = from; y < height && down.first[index(y)] <= i; ++y) {
      float const weight = down.of(y)[i - down.first[index(y)]];
      float* const DIFFSIAM_RESTRICT row = sums.data() + index(y) * pitch;
      for (std::size_t k = 0; k < pitch; ++k) row[k] += weight * line[k];
    }
  }
  for (std::size_t k = 0; k < sums.size(); ++k) out[k] = static_cast<std::uint8_t>(rounded(sums[k]));
}

/// The same of 1 or 3 channels, everything checked by the caller.
inline void resize_view(PixelView const& source, Region const& region, int height, int width, Filter filter,
                        std::uint8_t* out) {
  auto const resize_channels = source.channels == 1 ? resize<1> : resize<3>;
  resize_channels(source, region, height, width, filter, out);
}

/// The largest side of a result.
inline constexpr int longest_side = 1 << 15;

}  // namespace detail

/// `region` of the picture as height x width pixels. Throws ShapeError for a picture that is none, a region
/// that is not inside of it or has no extent, and sides of the result outside of 1 .. 2^15.
[[nodiscard]] inline io::Picture resize(io::Picture const& picture, Region const& region, int height,
                                        int width, Filter filter = Filter::bilinear) {
  io::detail::require_picture(picture, "resize");
  bool const inside = region.top >= 0 && region.left >= 0 && region.height > 0 && region.width > 0 &&
                      region.top + region.height <= picture.height &&
                      region.left + region.width <= picture.width;
  if (!inside)
    fail<ShapeError>("resize", {"a region inside of ", io::detail::shown_extents(picture)},
                     {region.height, " x ", region.width, " at (", region.top, ", ", region.left, ")"});
  if (std::min(height, width) < 1 || std::max(height, width) > detail::longest_side)
    fail<ShapeError>("resize", "sides of 1 .. 32768", {height, " x ", width});
  io::Picture result = io::blank_picture(height, width, picture.channels, 0);
  auto const pitch = static_cast<std::size_t>(picture.width) * static_cast<std::size_t>(picture.channels);
  detail::resize_view({picture.pixels.data(), picture.height, picture.width, picture.channels, pitch}, region,
                      height, width, filter, result.pixels.data());
  return result;
}

/// The whole picture as height x width pixels.
[[nodiscard]] inline io::Picture resize(io::Picture const& picture, int height, int width,
                                        Filter filter = Filter::bilinear) {
  return resize(picture, {.height = double(picture.height), .width = double(picture.width)}, height, width,
                filter);
}

}  // namespace diffsiam::data
