// decode_jpeg: JPEG files, sequential and progressive, by libjpeg-turbo, turned upright by their EXIF
// orientation (link with -ljpeg -lexif).
#pragma once

#include <algorithm>
#include <array>
#include <csetjmp>
#include <cstddef>
#include <cstdint>
#include <cstdio>  // jpeglib.h needs it
#include <cstring>
#include <new>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <jerror.h>
#include <jpeglib.h>

#include <diffsiam/core/error.hpp>
#include <diffsiam/io/decode_options.hpp>
#include <diffsiam/io/exif_orientation.hpp>
#include <diffsiam/io/picture.hpp>

namespace diffsiam::io {

namespace detail {

/// One JPEG in memory, read row by row. As with PngReader, functions that call libjpeg hold nothing with a
/// destructor, and return false where libjpeg gave up.
class JpegReader {
 public:
  explicit JpegReader(std::span<std::byte const> bytes) : bytes_(bytes) {
    jpeg_.err = jpeg_std_error(&errors_);
    jpeg_.client_data = this;
    errors_.error_exit = give_up;
    errors_.emit_message = judge;
    errors_.output_message = ignore;
    progress_.progress_monitor = count_scans;
  }
  JpegReader(JpegReader const&) = delete;
  JpegReader& operator=(JpegReader const&) = delete;
  ~JpegReader() { jpeg_destroy_decompress(&jpeg_); }

  [[nodiscard]] bool read_header() {
    if (setjmp(before_) != 0) return false;
    jpeg_create_decompress(&jpeg_);
    jpeg_.progress = &progress_;
    jpeg_mem_src(&jpeg_, reinterpret_cast<unsigned char const*>(bytes_.data()),
                 static_cast<unsigned long>(bytes_.size()));
    jpeg_save_markers(&jpeg_, exif_marker, 0xFFFF);
    jpeg_read_header(&jpeg_, TRUE);
    return true;
  }
  [[nodiscard]] std::uint32_t height() const { return jpeg_.image_height; }
  [[nodiscard]] std::uint32_t width() const { return jpeg_.image_width; }
  [[nodiscard]] std::span<std::uint8_t const> exif() const& {
    for (jpeg_saved_marker_ptr marker = jpeg_.marker_list; marker != nullptr; marker = marker->next)
      if (marker->data_length >= 6 && std::memcmp(marker->data, "Exif\0", 6) == 0)
        return {marker->data, marker->data_length};
    return {};
  }
  std::span<std::uint8_t const> exif() const&& = delete;

  [[nodiscard]] bool start() {
    if (setjmp(before_) != 0) return false;
    bool const grey = jpeg_.jpeg_color_space == JCS_GRAYSCALE;
    bool const inks = jpeg_.jpeg_color_space == JCS_CMYK || jpeg_.jpeg_color_space == JCS_YCCK;
    jpeg_.out_color_space = grey ? JCS_GRAYSCALE : inks ? JCS_CMYK : JCS_RGB;
    jpeg_start_decompress(&jpeg_);
    return true;
  }
  /// 1, 3, or 4 for CMYK.
  [[nodiscard]] int channels() const { return jpeg_.out_color_components; }

  [[nodiscard]] bool read_rows(std::uint8_t* rows, int count) {
    if (setjmp(before_) != 0) return false;
    std::size_t const pitch = std::size_t{jpeg_.output_width} * static_cast<std::size_t>(channels());
    for (int i = 0; i < count; ++i) {
      JSAMPROW row = rows + static_cast<std::size_t>(i) * pitch;
      jpeg_read_scanlines(&jpeg_, &row, 1);
    }
    return true;
  }
  [[nodiscard]] bool read_end() {
    if (setjmp(before_) != 0) return false;
    jpeg_finish_decompress(&jpeg_);
    return true;
  }
  [[nodiscard]] bool no_memory() const { return errors_.msg_code == JERR_OUT_OF_MEMORY; }
  [[nodiscard]] char const* reason() const& { return reason_.data(); }
  char const* reason() const&& = delete;

 private:
  static constexpr int exif_marker = JPEG_APP0 + 1;
  // Each scan is work for the whole picture, even where it takes no bytes. IJG's own programs write no more.
  static constexpr int most_scans = 100;

  static JpegReader& reader(j_common_ptr jpeg) { return *static_cast<JpegReader*>(jpeg->client_data); }
  [[noreturn]] static void give_up(j_common_ptr jpeg) {
    static_assert(sizeof reason_ >= JMSG_LENGTH_MAX);
    jpeg->err->format_message(jpeg, reader(jpeg).reason_.data());
    std::longjmp(reader(jpeg).before_, 1);
  }
  /// libjpeg goes on where data are missing or senseless, and paints grey. Here that is an error. Only what
  /// does not touch the pixels, such as bytes between segments, is none.
  static void judge(j_common_ptr jpeg, int level) {
    int const code = jpeg->err->msg_code;
    bool const harmless = code == JWRN_EXTRANEOUS_DATA || code == JWRN_ADOBE_XFORM ||
                          code == JWRN_JFIF_MAJOR || code == JWRN_NOT_SEQUENTIAL;
    if (level < 0 && !harmless) give_up(jpeg);
  }
  static void ignore(j_common_ptr) {}
  static void count_scans(j_common_ptr jpeg) {
    if (reinterpret_cast<j_decompress_ptr>(jpeg)->input_scan_number <= most_scans) return;
    constexpr std::string_view reason = "more than 100 scans";
    reason.copy(reader(jpeg).reason_.data(), reason.size());
    std::longjmp(reader(jpeg).before_, 1);
  }

  std::span<std::byte const> bytes_;
  jpeg_decompress_struct jpeg_{};
  jpeg_error_mgr errors_{};
  jpeg_progress_mgr progress_{};
  std::jmp_buf before_{};
  std::array<char, JMSG_LENGTH_MAX> reason_{};
};

/// Inverted CMYK, as Adobe writes it and Pillow takes all of it, to RGB in place: (1 - C)(1 - K) and so on.
inline void rgb_from_inverted_cmyk(std::uint8_t* pixels, std::size_t count) {
  std::uint8_t* out = pixels;
  for (std::size_t i = 0; i < count; ++i, pixels += 4, out += 3) {
    unsigned const light = pixels[3];
    for (int c = 0; c < 3; ++c) {
      unsigned const shade = (255U - pixels[c]) * light + 128;
      out[c] = static_cast<std::uint8_t>(light - ((shade + (shade >> 8)) >> 8));
    }
  }
}

}  // namespace detail

/// The picture in a JPEG file, upright: 1 channel where the file is grey, else 3. CMYK and YCCK become RGB
/// without a colour profile. Throws FileError for a file that is no JPEG, truncated, corrupt as far as
/// libjpeg notices, of more than 100 scans, or larger than the options allow.
[[nodiscard]] inline Picture decode_jpeg(std::span<std::byte const> bytes,
                                         DecodeOptions const& options = {}) {
  constexpr std::string_view operation = "decode_jpeg";
  // A block of 8 x 8 pixels takes at least one bit of its first coefficient.
  constexpr std::uint64_t pixels_of_a_byte = 512;

  detail::JpegReader reader(bytes);
  auto const require = [&](bool read) {
    if (read) return;
    if (reader.no_memory()) throw std::bad_alloc();
    detail::refuse_picture(operation, "JPEG", options, reader.reason());
  };
  require(reader.read_header());
  std::uint64_t const pixels = std::uint64_t{reader.height()} * reader.width();
  detail::require_pixels(operation, options, reader.height(), reader.width());
  detail::require_content(operation, options, bytes.size(), pixels, pixels_of_a_byte);
  int const orientation = detail::exif_orientation(reader.exif());
  require(reader.start());

  int const channels = reader.channels(), colours = channels == 1 ? 1 : 3;
  int const height = static_cast<int>(reader.height()), width = static_cast<int>(reader.width());
  detail::UprightPicture picture(height, width, colours, orientation);
  if (channels == colours && picture.rows_stay()) {
    for (int y = 0; y < height; ++y) require(reader.read_rows(picture.row(y), 1));
  } else {
    int const strip = std::min(height, 16);  // rows that are turned at once
    auto const pixels_of = [&](int rows) { return static_cast<std::size_t>(rows) * reader.width(); };
    std::vector<std::uint8_t> rows(pixels_of(strip) * static_cast<std::size_t>(channels));
    for (int y = 0; y < height; y += strip) {
      int const count = std::min(strip, height - y);
      require(reader.read_rows(rows.data(), count));
      if (channels == 4) detail::rgb_from_inverted_cmyk(rows.data(), pixels_of(count));
      picture.put(rows.data(), y, count);
    }
  }
  require(reader.read_end());
  return std::move(picture).take();
}

}  // namespace diffsiam::io
