// Shape: the extents of a value. Images are (n, h, w, c), features (n, c), a loss has rank 0.
#pragma once

#include <array>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>

#include <diffsiam/config.hpp>
#include <diffsiam/core/error.hpp>
#include <diffsiam/core/text.hpp>

namespace diffsiam {

/// Extents, counts and positions.
using Index = std::int64_t;

/// Up to four extents, stored in place. Extents are not negative.
class Shape {
 public:
  /// The most extents.
  static constexpr int max_rank = 4;

  constexpr Shape() = default;
  /// Shape{64, 28, 28, 1}. Throws ShapeError for more than max_rank extents and for negative ones.
  constexpr Shape(std::initializer_list<Index> extents) {
    if (extents.size() > max_rank) refuse("Shape: expected at most 4 extents");
    for (Index extent : extents) {
      if (extent < 0) refuse("Shape: expected extents that are not negative");
      extents_[static_cast<std::size_t>(rank_++)] = extent;
    }
  }

  /// The number of extents, 0 to 4.
  [[nodiscard]] constexpr int rank() const { return rank_; }
  /// Extent `axis`; negative axes count from the back. Axes beyond the rank are not extents.
  [[nodiscard]] constexpr Index operator[](int axis) const {
    static_assert(max_rank == 4,
                  "The mask below keeps the index within the array, for compilers that wonder.");
    return extents_[static_cast<std::size_t>(axis < 0 ? axis + rank_ : axis) & 3U];
  }
  /// Number of elements; 1 for rank 0.
  [[nodiscard]] constexpr Index size() const {
    Index product = 1;
    for (int axis = 0; axis < rank_; ++axis) product *= (*this)[axis];
    return product;
  }
  /// The last extent: channels of an image, width of a feature. 1 for rank 0.
  [[nodiscard]] constexpr Index channels() const { return rank_ == 0 ? 1 : (*this)[rank_ - 1]; }
  /// The first extent: the batch. 1 for rank 0.
  [[nodiscard]] constexpr Index samples() const { return rank_ == 0 ? 1 : (*this)[0]; }
  /// The extents between batch and channels: h * w for an image, 1 for a feature.
  [[nodiscard]] constexpr Index positions() const {
    Index product = 1;
    for (int axis = 1; axis < rank_ - 1; ++axis) product *= (*this)[axis];
    return product;
  }
  /// The same extents with the last replaced.
  [[nodiscard]] constexpr Shape with_channels(Index channels) const {
    Shape result = *this;
    result.extents_[static_cast<std::size_t>(rank_ - 1)] = channels;
    return result;
  }
  /// The same extents with the first replaced.
  [[nodiscard]] constexpr Shape with_samples(Index samples) const {
    Shape result = *this;
    result.extents_[0] = samples;
    return result;
  }
  /// The same extents with that of `axis`, which is in [0, rank), replaced.
  [[nodiscard]] constexpr Shape with_extent(int axis, Index extent) const {
    Shape result = *this;
    result.extents_[static_cast<std::size_t>(axis) & 3U] = extent;
    return result;
  }
  /// The same extents without that of `axis`, which is in [0, rank).
  [[nodiscard]] constexpr Shape without_axis(int axis) const {
    Shape result;
    for (int i = 0; i < rank_; ++i)
      if (i != axis) result.extents_[static_cast<std::size_t>(result.rank_++) & 3U] = (*this)[i];
    return result;
  }
  [[nodiscard]] constexpr bool operator==(Shape const&) const = default;
  /// In the sentence of an error a shape appears as its extents.
  operator TextPiece() const {  // NOLINT: implicit by design
    return std::span<Index const>{extents_}.first(static_cast<std::size_t>(rank_));
  }

 private:
  [[noreturn]] DIFFSIAM_OUT_OF_LINE static void refuse(char const* why) { throw ShapeError(why); }

  std::array<Index, max_rank> extents_{};
  int rank_ = 0;
};

/// The shapes of an operation's inputs.
using Shapes = std::span<Shape const>;

/// "(64, 28, 28, 1)".
[[nodiscard]] inline std::string to_string(Shape const& shape) {
  return text(shape);
}

/// What may be wrong with pictures x that should be (n, h, w, channels): they may be (n, channels, h, w).
/// Otherwise `other`, which may be empty.
[[nodiscard]] DIFFSIAM_OUT_OF_LINE inline std::string_view layout_hint(Shape const& x, Index channels,
                                                                       std::string_view other = {}) {
  bool const channels_first = x.rank() == 4 && x[1] == channels && x[3] != channels;
  return channels_first ? "pictures are NHWC, (n, h, w, c), and these look like NCHW, (n, c, h, w)" : other;
}

/// Throws ShapeError unless `actual` is `expected`.
DIFFSIAM_OUT_OF_LINE inline void require_shape(std::string_view operation, Shape const& expected,
                                               Shape const& actual, std::string_view hint = {}) {
  if (actual != expected) fail<ShapeError>(operation, expected, actual, hint);
}

/// Throws ShapeError unless `actual` has the given rank; `meaning` names the axes, such as "(n, h, w, c)".
DIFFSIAM_OUT_OF_LINE inline void require_rank(std::string_view operation, int rank, Shape const& actual,
                                              std::string_view meaning) {
  if (actual.rank() != rank) {
    fail<ShapeError>(operation, {"rank ", rank, " ", meaning}, actual);
  }
}

}  // namespace diffsiam
