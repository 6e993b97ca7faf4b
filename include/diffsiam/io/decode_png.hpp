// decode_png: PNG files of every kind, by libpng (link with -lpng). Not by its simplified interface, which
// composites in linear light; here values stay as they are encoded.
#pragma once

#include <array>
#include <csetjmp>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <new>
#include <span>
#include <string>
#include <vector>

#include <png.h>

#include <diffsiam/core/error.hpp>
#include <diffsiam/io/decode_options.hpp>
#include <diffsiam/io/over_ground.hpp>
#include <diffsiam/io/picture.hpp>

namespace diffsiam::io {

namespace detail {

/// One PNG in memory, read row by row. libpng leaves its functions by longjmp, which skips destructors: so
/// functions that call it hold nothing that has one, and return false where libpng gave up (`reason` says
/// why).
class PngReader {
 public:
  explicit PngReader(std::span<std::byte const> bytes) : bytes_(bytes) {
    png_ = png_create_read_struct_2(PNG_LIBPNG_VER_STRING, this, give_up, ignore, this, allocate, release);
    if (png_ != nullptr) info_ = png_create_info_struct(png_);
    if (info_ == nullptr) {
      png_destroy_read_struct(&png_, nullptr, nullptr);
      throw std::bad_alloc();
    }
  }
  PngReader(PngReader const&) = delete;
  PngReader& operator=(PngReader const&) = delete;
  ~PngReader() { png_destroy_read_struct(&png_, &info_, nullptr); }

  [[nodiscard]] bool read_header() {
    if (setjmp(png_jmpbuf(png_)) != 0) return false;
    png_set_read_fn(png_, this, copy_bytes);
    png_set_crc_action(png_, PNG_CRC_ERROR_QUIT, PNG_CRC_ERROR_QUIT);
    // The chunks' own sums have found what Adler-32 would find.
    png_set_option(png_, PNG_IGNORE_ADLER32, PNG_OPTION_ON);
    // Skips every chunk but IHDR, PLTE, tRNS, IDAT and IEND: no texts are inflated, no profile is parsed.
    png_set_keep_unknown_chunks(png_, PNG_HANDLE_CHUNK_NEVER, nullptr, -1);
    png_read_info(png_, info_);
    return true;
  }
  [[nodiscard]] std::uint32_t height() const { return png_get_image_height(png_, info_); }
  [[nodiscard]] std::uint32_t width() const { return png_get_image_width(png_, info_); }
  /// Bytes that are compressed in the file: those of all rows, and the filter of each.
  [[nodiscard]] std::uint64_t raw_bytes() const {
    return (std::uint64_t{png_get_rowbytes(png_, info_)} + 1) * height();
  }

  /// Asks for 8 bits a channel: palettes and small depths expanded, tRNS as alpha, of 16 bits the high byte,
  /// as Pillow takes it of RGB. A grey picture becomes RGB where grey cannot show the ground.
  [[nodiscard]] bool start(bool grey_ground) {
    if (setjmp(png_jmpbuf(png_)) != 0) return false;
    png_set_expand(png_);
    png_set_strip_16(png_);
    bool const alpha = (png_get_color_type(png_, info_) & PNG_COLOR_MASK_ALPHA) != 0 ||
                       png_get_valid(png_, info_, PNG_INFO_tRNS) != 0;
    if (alpha && !grey_ground) png_set_gray_to_rgb(png_);
    passes_ = png_set_interlace_handling(png_);
    png_read_update_info(png_, info_);
    return true;
  }
  /// 1 to 4: grey, grey and alpha, RGB, RGB and alpha.
  [[nodiscard]] int channels() const { return png_get_channels(png_, info_); }
  [[nodiscard]] bool interlaced() const { return passes_ > 1; }

  /// The next row.
  [[nodiscard]] bool read_row(std::uint8_t* row) {
    if (setjmp(png_jmpbuf(png_)) != 0) return false;
    png_read_row(png_, row, nullptr);
    return true;
  }
  /// All rows, `pitch` bytes apart. An interlaced picture comes in passes over all of them.
  [[nodiscard]] bool read_rows(std::uint8_t* rows, std::size_t pitch) {
    if (setjmp(png_jmpbuf(png_)) != 0) return false;
    for (int pass = 0; pass < passes_; ++pass)
      for (std::uint32_t y = 0; y < height(); ++y) png_read_row(png_, rows + y * pitch, nullptr);
    return true;
  }
  /// What follows the rows, up to the end of the PNG.
  [[nodiscard]] bool read_end() {
    if (setjmp(png_jmpbuf(png_)) != 0) return false;
    png_read_end(png_, nullptr);
    return true;
  }
  [[nodiscard]] bool no_memory() const { return no_memory_; }
  [[nodiscard]] char const* reason() const& { return reason_.data(); }
  char const* reason() const&& = delete;

 private:
  [[noreturn]] static void give_up(png_structp png, png_const_charp message) {
    auto& reason = static_cast<PngReader*>(png_get_error_ptr(png))->reason_;
    std::strncpy(reason.data(), message, reason.size() - 1);
    png_longjmp(png, 1);
  }
  static void ignore(png_structp, png_const_charp) {}
  static png_voidp allocate(png_structp png, png_alloc_size_t size) {
    void* const memory = std::malloc(size);
    if (memory == nullptr) static_cast<PngReader*>(png_get_mem_ptr(png))->no_memory_ = true;
    return memory;
  }
  static void release(png_structp, png_voidp memory) { std::free(memory); }
  static void copy_bytes(png_structp png, png_bytep out, std::size_t count) {
    auto& bytes = static_cast<PngReader*>(png_get_io_ptr(png))->bytes_;
    if (count > bytes.size()) png_error(png, "the end of the file");
    std::memcpy(out, bytes.data(), count);
    bytes = bytes.subspan(count);
  }

  std::span<std::byte const> bytes_;
  png_structp png_ = nullptr;
  png_infop info_ = nullptr;
  int passes_ = 1;
  bool no_memory_ = false;
  std::array<char, 128> reason_{};
};

}  // namespace detail

/// The picture in a PNG file: 1 channel where the file is grey, else 3. Every bit depth, palettes, tRNS,
/// alpha (over the ground) and interlacing are read; of 16 bits the high byte. A grey picture with alpha over
/// a ground that is not grey has 3 channels. Gamma, colour profiles and EXIF are not applied. Throws
/// FileError for a file that is no PNG, truncated, corrupt in any check sum, or larger than the options
/// allow.
[[nodiscard]] inline Picture decode_png(std::span<std::byte const> bytes, DecodeOptions const& options = {}) {
  constexpr std::string_view operation = "decode_png";
  constexpr std::uint64_t deflate_ratio = 1032;  // no byte can be inflated to more

  detail::PngReader reader(bytes);
  auto const require = [&](bool read) {
    if (read) return;
    if (reader.no_memory()) throw std::bad_alloc();
    detail::refuse_picture(operation, "PNG", options, reader.reason());
  };
  require(reader.read_header());
  detail::require_pixels(operation, options, reader.height(), reader.width());
  detail::require_content(operation, options, bytes.size(), reader.raw_bytes(), deflate_ratio);
  auto const& ground = options.ground;
  require(reader.start(ground[0] == ground[1] && ground[1] == ground[2]));

  int const channels = reader.channels(), colours = channels < 3 ? 1 : 3;
  auto const over_ground = colours == 1 ? detail::over_ground<1> : detail::over_ground<3>;
  std::size_t const height = reader.height(), width = reader.width();
  std::size_t const pitch = width * static_cast<std::size_t>(colours);
  std::size_t const source_pitch = width * static_cast<std::size_t>(channels);
  Picture picture{.height = static_cast<int>(height), .width = static_cast<int>(width), .channels = colours};
  if (channels == colours) {
    picture.pixels.resize(height * pitch);
    require(reader.read_rows(picture.pixels.data(), pitch));
  } else if (reader.interlaced()) {  // composited in place, once all of its passes are there
    picture.pixels.resize(height * source_pitch);
    require(reader.read_rows(picture.pixels.data(), source_pitch));
    over_ground(picture.pixels.data(), height * width, ground, picture.pixels.data());
    picture.pixels.resize(height * pitch);
  } else {
    picture.pixels.resize(height * pitch);
    std::vector<std::uint8_t> row(source_pitch);
    for (std::size_t y = 0; y < height; ++y) {
      require(reader.read_row(row.data()));
      over_ground(row.data(), width, ground, picture.pixels.data() + y * pitch);
    }
  }
  require(reader.read_end());
  return picture;
}

}  // namespace diffsiam::io
