// The orientation of EXIF (tag 0x0112): how a camera was held, and how its pixels are turned upright again.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <span>
#include <utility>

#include <libexif/exif-data.h>

#include <diffsiam/io/picture.hpp>

namespace diffsiam::io::detail {

/// 1 to 8, as EXIF counts: 1 is upright; 2 mirrored; 3 turned by 180 degrees; 4 mirrored upside down; 5 to 8
/// have their rows as columns. Of EXIF data (they begin with "Exif"); 1 where these say nothing possible.
[[nodiscard]] inline int exif_orientation(std::span<std::uint8_t const> exif) {
  struct Unref {
    void operator()(ExifData* data) const { exif_data_unref(data); }
  };
  std::unique_ptr<ExifData, Unref> const data(exif_data_new());
  if (data == nullptr) throw std::bad_alloc();
  // Otherwise libexif adds the fields that the standard demands.
  exif_data_unset_option(data.get(), EXIF_DATA_OPTION_FOLLOW_SPECIFICATION);
  exif_data_load_data(data.get(), exif.data(), static_cast<unsigned>(exif.size()));
  ExifEntry const* const entry = exif_content_get_entry(data->ifd[EXIF_IFD_0], EXIF_TAG_ORIENTATION);
  if (entry == nullptr || entry->format != EXIF_FORMAT_SHORT || entry->size < 2) return 1;
  int const orientation = exif_get_short(entry->data, exif_data_get_byte_order(data.get()));
  return orientation >= 1 && orientation <= 8 ? orientation : 1;
}

/// A picture that is filled with the rows of its file, each turned to where it belongs.
class UprightPicture {
 public:
  /// Extents of the file, before it is turned.
  UprightPicture(int height, int width, int channels, int orientation)
      : picture_{.height = height, .width = width, .channels = channels} {
    bool const rows_are_columns = orientation >= 5;
    if (rows_are_columns) std::swap(picture_.height, picture_.width);
    picture_.pixels.resize(pixel_bytes(picture_.height, picture_.width, channels, "UprightPicture"));
    // Where the file's first pixel lies, and the steps from there to its neighbours.
    bool const from_bottom = orientation == 3 || orientation == 4 || orientation == 7 || orientation == 8;
    bool const from_right = orientation == 2 || orientation == 3 || orientation == 6 || orientation == 7;
    auto const pitch = static_cast<std::ptrdiff_t>(picture_.width) * channels;
    std::ptrdiff_t const down = from_bottom ? -pitch : pitch, across = from_right ? -channels : channels;
    first_ = (from_bottom ? (picture_.height - 1) * pitch : 0) + (from_right ? pitch - channels : 0);
    step_y_ = rows_are_columns ? across : down;
    step_x_ = rows_are_columns ? down : across;
    width_ = width;
  }

  /// Row y of the file lies in the picture as it is: to be written there, not put.
  [[nodiscard]] bool rows_stay() const { return step_x_ == picture_.channels; }
  [[nodiscard]] std::uint8_t* row(int y) & { return picture_.pixels.data() + first_ + y * step_y_; }
  /// Puts `count` rows from y on, which follow each other in `rows`.
  void put(std::uint8_t const* rows, int y, int count) {
    std::ptrdiff_t const channels = picture_.channels, pitch = width_ * channels;
    // All rows of one column first: as neighbours they may share a cache line.
    for (int x = 0; x < width_; ++x) {
      for (int i = 0; i < count; ++i) {
        std::uint8_t* const out = row(y + i) + x * step_x_;
        for (std::ptrdiff_t c = 0; c < channels; ++c) out[c] = rows[i * pitch + x * channels + c];
      }
    }
  }
  [[nodiscard]] Picture take() && { return std::move(picture_); }

 private:
  Picture picture_;
  std::ptrdiff_t first_ = 0, step_y_ = 0, step_x_ = 0;
  int width_ = 0;
};

}  // namespace diffsiam::io::detail
