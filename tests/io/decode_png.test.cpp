#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include <tests/io/kept_pictures.hpp>
#include <tests/support/catch.hpp>
#include <zlib.h>

#include <diffsiam/io/decode_png.hpp>
#include <diffsiam/io/png.hpp>

using namespace diffsiam;

namespace {

constexpr std::array<std::uint8_t, 3> green_ground{10, 200, 60};

/// The file with other extents in its header, and the check sum that belongs to them.
std::vector<std::byte> with_extents(std::vector<std::byte> file, std::uint32_t width, std::uint32_t height) {
  auto const put = [&](std::size_t at, unsigned long value) {
    for (std::size_t i = 0; i < 4; ++i) file[at + i] = static_cast<std::byte>(value >> (24 - 8 * i) & 255);
  };
  put(16, width);
  put(20, height);
  put(29, crc32(0, reinterpret_cast<Bytef const*>(file.data()) + 12, 17));
  return file;
}

}  // namespace

TEST_CASE("a PNG of every kind has the pixels that Pillow reads from it") {
  for (std::string const name : {"grey_1",
                                 "grey_2",
                                 "grey_4",
                                 "grey_8",
                                 "grey_16",
                                 "grey_transparent",
                                 "grey_alpha_8",
                                 "grey_alpha_16",
                                 "grey_interlaced",
                                 "grey_1_interlaced",
                                 "grey_alpha_interlaced",
                                 "rgb_8",
                                 "rgb_16",
                                 "rgb_transparent",
                                 "rgb_interlaced",
                                 "rgba_8",
                                 "rgba_16",
                                 "rgba_interlaced",
                                 "palette_1",
                                 "palette_2",
                                 "palette_4",
                                 "palette_8",
                                 "palette_1_transparent",
                                 "palette_2_transparent",
                                 "palette_4_transparent",
                                 "palette_8_transparent",
                                 "palette_interlaced"}) {
    INFO(name);
    io::Picture const picture = io::decode_png(test::kept_picture(name + ".png"));
    CHECK(test::largest_difference(picture, test::kept_pixels(test::kept_pictures, name)) == 0);
    CHECK(picture.channels == (name.starts_with("grey") ? 1 : 3));
  }
}

TEST_CASE("what is transparent in a PNG shows the ground") {
  for (std::string const name :
       {"grey_transparent", "grey_alpha_8", "grey_alpha_16", "rgb_transparent", "rgba_8", "rgba_16",
        "palette_1_transparent", "palette_2_transparent", "palette_4_transparent", "palette_8_transparent"}) {
    INFO(name);
    io::Picture const picture = io::decode_png(test::kept_picture(name + ".png"), {.ground = green_ground});
    CHECK(test::largest_difference(picture, test::kept_pixels(test::kept_pictures, name + ".ground")) == 0);
  }
  // A grey ground leaves grey pictures grey.
  io::Picture const grey = io::decode_png(test::kept_picture("grey_alpha_8.png"), {.ground = {7, 7, 7}});
  CHECK(grey.channels == 1);
  CHECK(grey.pixels.front() == 7);
}

TEST_CASE("alpha is composited as Pillow does, for every colour, ground and alpha") {
  for (unsigned alpha = 0; alpha < 256; ++alpha)
    for (unsigned colour = 0; colour < 256; ++colour)
      for (unsigned const ground : {0U, 1U, 100U, 254U, 255U}) {
        unsigned const sum = alpha * colour + (255 - alpha) * ground;
        if (io::detail::blended(colour, ground, alpha) != (2 * sum + 255) / 510)
          FAIL(alpha << " of " << colour << " over " << ground);
      }
}

TEST_CASE("decode_png gives back what encode_png was given") {
  for (int const channels : {1, 3}) {
    io::Picture picture = io::blank_picture(211, 157, channels, 0);
    for (std::size_t i = 0; i < picture.pixels.size(); ++i)
      picture.pixels[i] = static_cast<std::uint8_t>(i * i / 7 + i);
    CHECK(io::decode_png(io::encode_png(picture)) == picture);
  }
}

TEST_CASE("a PNG that is cut anywhere is refused") {
  for (char const* const name :
       {"grey_1.png", "rgba_8.png", "palette_4_transparent.png", "rgb_interlaced.png"})
    test::check_cuts(test::kept_picture(name), [](auto const& bytes) { (void)io::decode_png(bytes); });
  CHECK_THROWS_WITH(io::decode_png(test::kept_picture("rgb_8.png", 60), {.name = "cat.png"}),
                    "decode_png: expected 'cat.png' to be an intact PNG, got the end of the file");
}

TEST_CASE("a PNG with any byte changed is refused, since all are in check sums") {
  for (char const* const name : {"grey_4.png", "rgba_8.png", "palette_2_transparent.png"}) {
    std::vector<std::byte> const file = test::kept_picture(name);
    CHECK(test::refused_changes(file, [](auto const& bytes) { (void)io::decode_png(bytes); }) == file.size());
  }
}

TEST_CASE("bytes behind the end of a PNG are not its own") {
  std::vector<std::byte> file = test::kept_picture("rgb_8.png");
  io::Picture const picture = io::decode_png(file);
  file.insert(file.end(), 100, std::byte{7});
  CHECK(io::decode_png(file) == picture);
}

TEST_CASE("extents in the header of a PNG are not believed") {
  std::vector<std::byte> const file = test::kept_picture("rgba_8.png");
  CHECK_THROWS_WITH(io::decode_png(with_extents(file, 100'000, 100'000), {.name = "bomb.png"}),
                    "decode_png: expected 'bomb.png' to have 1 .. 100000000 pixels, got 100000 x 100000; "
                    "DecodeOptions::max_pixels is the limit");
  CHECK_THROWS_WITH(
      io::decode_png(with_extents(file, 9'000, 9'000)),
      test::contains("expected the picture to hold what its header declares") && test::contains("too short"));
  CHECK_THROWS_WITH(io::decode_png(with_extents(file, 100'000, 100'000), {.max_pixels = ~std::uint64_t{0}}),
                    test::contains("1 .. 536870911 pixels"));
  CHECK_THROWS_AS(io::decode_png(with_extents(file, 14, 9)), FileError);
  CHECK_THROWS_AS(io::decode_png(with_extents(file, 0, 9)), FileError);
  CHECK_THROWS_AS(io::decode_png(with_extents(file, 13, 0)), FileError);
  CHECK_THROWS_AS(io::decode_png(with_extents(file, 0x8000'0000, 1)), FileError);
}

TEST_CASE("max_pixels is the most that is decoded") {
  std::vector<std::byte> const file = test::kept_picture("rgb_8.png");  // 13 x 9
  CHECK(io::decode_png(file, {.max_pixels = 117}).width == 13);
  CHECK_THROWS_WITH(io::decode_png(file, {.max_pixels = 116}), test::contains("1 .. 116 pixels, got 9 x 13"));
}
