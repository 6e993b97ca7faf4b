// PNG, JPEG and WebP: any bytes are a picture or refused, and a picture can be fitted. The first byte of an
// input says what else is done. Bit 0: the check sums of PNG are mended first, since no mutation meets them;
// bits 1 and 2: how the picture is fitted.
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <span>
#include <string_view>
#include <vector>

#include <jpeglib.h>
#include <tests/fuzz/fuzz.hpp>
#include <zlib.h>
#if defined(DIFFSIAM_WITH_WEBP)
#include <webp/encode.h>
#endif

#include <diffsiam/data/fit.hpp>
#include <diffsiam/io/decode_picture.hpp>
#include <diffsiam/io/png.hpp>

using namespace diffsiam;
using namespace diffsiam::fuzz;

namespace {

constexpr std::uint64_t max_pixels = 1 << 16;

std::uint32_t big_endian(std::uint8_t const* at) {
  return std::uint32_t{at[0]} << 24 | std::uint32_t{at[1]} << 16 | std::uint32_t{at[2]} << 8 | at[3];
}

/// Gives each chunk of a PNG, (length, type, data, check sum), the sum that belongs to it.
void mend_png(Bytes& bytes) {
  std::size_t at = 8;
  while (bytes.size() >= at + 12 && big_endian(&bytes[at]) <= bytes.size() - at - 12) {
    std::size_t const length = big_endian(&bytes[at]), end = at + 8 + length;
    uLong const sum = crc32(0, &bytes[at + 4], static_cast<uInt>(length + 4));
    for (std::size_t i = 0; i < 4; ++i) bytes[end + i] = static_cast<std::uint8_t>(sum >> (24 - 8 * i) & 255);
    at = end + 4;
  }
}

Bytes jpeg_of(io::Picture const& picture, bool progressive) {
  jpeg_compress_struct jpeg{};
  jpeg_error_mgr errors{};
  jpeg.err = jpeg_std_error(&errors);
  jpeg_create_compress(&jpeg);
  unsigned char* out = nullptr;
  unsigned long size = 0;
  jpeg_mem_dest(&jpeg, &out, &size);
  jpeg.image_height = static_cast<JDIMENSION>(picture.height);
  jpeg.image_width = static_cast<JDIMENSION>(picture.width);
  jpeg.input_components = picture.channels;
  jpeg.in_color_space = picture.channels == 1 ? JCS_GRAYSCALE : JCS_RGB;
  jpeg_set_defaults(&jpeg);
  if (progressive) jpeg_simple_progression(&jpeg);
  jpeg_start_compress(&jpeg, TRUE);
  auto row = const_cast<JSAMPROW>(picture.pixels.data());
  for (int y = 0; y < picture.height; ++y, row += picture.width * picture.channels)
    jpeg_write_scanlines(&jpeg, &row, 1);
  jpeg_finish_compress(&jpeg);
  Bytes result(out, out + size);
  jpeg_destroy_compress(&jpeg);
  std::free(out);
  return result;
}

/// What `bytes` may take: their pixels, of which each format can hold so many in a byte.
Budget budget_of(std::span<std::byte const> bytes) {
  switch (io::picture_format(bytes)) {
    case io::PictureFormat::png:
      return {.factor = std::size_t{8 * 4 * 1032}};  // pixels of 1 bit, as RGB and alpha
    case io::PictureFormat::jpeg:
      return {.factor = std::size_t{8 * 512}};  // RGB, and the rows that are turned
    default:
      return {.factor = 1, .constant = 4 * max_pixels + (1 << 17)};
  }
}

}  // namespace

std::vector<Bytes> fuzz::seeds() {
  std::vector<Bytes> result;
  auto const keep = [&](std::uint8_t how, std::span<std::uint8_t const> bytes) {
    result.emplace_back(bytes.begin(), bytes.end()).insert(result.back().begin(), how);
  };
  for (int const channels : {1, 3}) {
    io::Picture picture = io::blank_picture(9, 21, channels, 0);
    for (std::size_t i = 0; i < picture.pixels.size(); ++i)
      picture.pixels[i] = static_cast<std::uint8_t>(i * i / 3);
    std::vector<std::byte> const png = io::encode_png(picture);
    std::span const png_bytes{reinterpret_cast<std::uint8_t const*>(png.data()), png.size()};
    keep(0, png_bytes);
    keep(1, png_bytes);
    keep(2, jpeg_of(picture, false));
    keep(4, jpeg_of(picture, true));
#if defined(DIFFSIAM_WITH_WEBP)
    if (channels == 1) continue;
    std::uint8_t* out = nullptr;
    std::size_t size =
        WebPEncodeRGB(picture.pixels.data(), picture.width, picture.height, 3 * picture.width, 75, &out);
    keep(2, {out, size});
    WebPFree(out);
    size = WebPEncodeLosslessRGBA(picture.pixels.data(), 7, 9, 4 * 7, &out);
    keep(4, {out, size});
    WebPFree(out);
#endif
  }
  return result;
}

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  if (size == 0) return 0;
  Bytes bytes(data + 1, data + size);
  if ((data[0] & 1) != 0) mend_png(bytes);
  auto const file = std::as_bytes(std::span<std::uint8_t const>(bytes));
  io::Picture picture;
  accepted += reads(size, budget_of(file), [&] {
    picture = io::decode_picture(file, {.ground = {1, 2, 3}, .max_pixels = max_pixels});
  });
  if (picture.pixels.empty()) return 0;
  io::detail::require_picture(picture, "decode_picture");

  data::FitConfig const config{.height = 5,
                               .width = 7,
                               .channels = 4 - picture.channels,
                               .fit = static_cast<data::Fit>((data[0] >> 1 & 3) % 3)};
  std::vector<std::uint8_t> out(config.extent().size());
  data::fit_picture(picture, config, out);
  return 0;
}
