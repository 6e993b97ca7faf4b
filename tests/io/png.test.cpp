#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include <png.h>
#include <tests/io/scratch.hpp>
#include <tests/support/catch.hpp>

#include <diffsiam/io/png.hpp>

using namespace diffsiam;
using namespace diffsiam::test;
using io::Picture;

namespace {

Picture decode(std::vector<std::byte> const& bytes) {
  png_image image{};
  image.version = PNG_IMAGE_VERSION;
  REQUIRE(png_image_begin_read_from_memory(&image, bytes.data(), bytes.size()) != 0);
  bool const colour = (image.format & PNG_FORMAT_FLAG_COLOR) != 0;
  CHECK((image.format & ~static_cast<png_uint_32>(PNG_FORMAT_FLAG_COLOR)) ==
        0);  // 8 bits, no alpha, no palette
  Picture picture =
      io::blank_picture(static_cast<int>(image.height), static_cast<int>(image.width), colour ? 3 : 1, 0);
  REQUIRE(png_image_finish_read(&image, nullptr, picture.pixels.data(), 0, nullptr) != 0);
  return picture;
}

/// Noise, which no compressor makes smaller.
Picture noise(int height, int width, int channels) {
  Picture picture = io::blank_picture(height, width, channels, 0);
  std::uint32_t state = 1;
  for (std::uint8_t& pixel : picture.pixels) {
    state = state * 1664525U + 1013904223U;
    pixel = static_cast<std::uint8_t>(state >> 24);
  }
  return picture;
}

}  // namespace

TEST_CASE("a PNG decodes to the picture it was made from", "[io][png]") {
  for (int const channels : {1, 3}) {
    for (int const side : {1, 28, 301}) {
      Picture const picture = noise(side, side + 2, channels);
      CHECK(decode(io::encode_png(picture)) == picture);
    }
    CHECK(decode(io::encode_png(noise(5000, 1, channels))).height == 5000);
  }
}

TEST_CASE("equal pictures give equal PNG files", "[io][png]") {
  Scratch const scratch;
  Picture const picture = noise(9, 7, 3);
  io::write_png(scratch / "a.png", picture);
  CHECK(io::read_file(scratch / "a.png") == io::encode_png(picture));
}

TEST_CASE("a PNG that cannot be written raises an Error that names the reason", "[io][png]") {
  Scratch const scratch;
  Picture const wrong{.height = 1, .width = 1, .channels = 3, .pixels = {1}};
  CHECK(message_of<ShapeError>([&] { (void)io::encode_png(wrong); }) ==
        "encode_png: expected as many pixels as (1, 1, 3) says, got 1");
  // libpng refuses sides above one million.
  Picture const wide = io::blank_picture(1, 1'500'000, 1, 0);
  CHECK(contains(message_of<FileError>([&] { (void)io::encode_png(wide); }),
                 "encode_png: expected a PNG of (1, 1500000, 1)"));
  CHECK(contains(message_of<FileError>([&] { io::write_png(scratch / "no" / "a.png", noise(2, 2, 1)); }),
                 "a.png"));
}
