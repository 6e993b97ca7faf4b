#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include <tests/io/kept_pictures.hpp>
#include <tests/support/catch.hpp>

#include <diffsiam/io/decode_jpeg.hpp>

using namespace diffsiam;

namespace {

// Other versions of libjpeg round otherwise when they take chroma to more pixels.
constexpr int jpeg_tolerance = 2;

/// Where the first segment with this marker begins.
std::size_t segment_at(std::vector<std::byte> const& file, unsigned char marker) {
  std::array const what{std::byte{0xFF}, std::byte{marker}};
  return static_cast<std::size_t>(std::search(file.begin(), file.end(), what.begin(), what.end()) -
                                  file.begin());
}

std::vector<std::byte> jpeg_with_extents(std::vector<std::byte> file, unsigned width, unsigned height) {
  std::size_t const frame = segment_at(file, 0xC0);
  std::array const values{height >> 8, height & 255, width >> 8, width & 255};
  for (std::size_t i = 0; i < 4; ++i) file[frame + 5 + i] = static_cast<std::byte>(values[i]);
  return file;
}

/// A progressive JPEG whose only scan comes `scans` times.
std::vector<std::byte> scan_bomb(std::size_t scans) {
  std::vector<std::byte> const file = test::kept_picture("progressive.jpg");
  auto const scan = file.begin() + static_cast<std::ptrdiff_t>(segment_at(file, 0xDA));
  constexpr std::ptrdiff_t header = 14;  // of three channels
  auto end = scan + header;
  while (!(end[0] == std::byte{0xFF} && end[1] != std::byte{0})) ++end;
  std::vector<std::byte> bomb(file.begin(), scan);
  for (std::size_t i = 0; i < scans; ++i) {
    bomb.insert(bomb.end(), scan, end);
    // All bits of the coefficients at once, so that it may come again.
    bomb[bomb.size() - static_cast<std::size_t>(end - scan) + header - 1] = std::byte{0};
  }
  bomb.insert(bomb.end(), {std::byte{0xFF}, std::byte{0xD9}});
  return bomb;
}

}  // namespace

TEST_CASE("a JPEG of every colour space has the pixels that Pillow reads from it") {
  for (std::string const name :
       {"grey", "colour", "subsampled", "sampled_1x2", "progressive", "rgb", "cmyk", "ycck"}) {
    INFO(name);
    io::Picture const picture = io::decode_jpeg(test::kept_picture(name + ".jpg"));
    CHECK(test::largest_difference(picture, test::kept_pixels(test::kept_pictures, name)) <= jpeg_tolerance);
    CHECK(picture.channels == (name == "grey" ? 1 : 3));
  }
}

TEST_CASE("a JPEG is turned upright by each orientation of EXIF") {
  for (std::string const name : {"exif_1", "exif_2", "exif_3", "exif_4", "exif_5", "exif_6", "exif_7",
                                 "exif_8", "exif_grey", "cmyk_turned"}) {
    INFO(name);
    io::Picture const picture = io::decode_jpeg(test::kept_picture(name + ".jpg"));
    CHECK(test::largest_difference(picture, test::kept_pixels(test::kept_pictures, name)) <= jpeg_tolerance);
  }
  CHECK(io::decode_jpeg(test::kept_picture("exif_4.jpg")).height == 18);
  CHECK(io::decode_jpeg(test::kept_picture("exif_5.jpg")).height == 11);
}

TEST_CASE("an orientation that is none, or EXIF that cannot be read, leaves a JPEG as it is") {
  std::vector<std::byte> file = test::kept_picture("exif_6.jpg");
  io::Picture const upright = io::decode_jpeg(test::kept_picture("exif_1.jpg"));
  // Big-endian: tag, type, count, value.
  std::array const entry{0x01, 0x12, 0, 3, 0, 0, 0, 1, 0, 6};
  auto const at = std::search(file.begin(), file.end(), entry.begin(), entry.end(),
                              [](std::byte a, int b) { return static_cast<int>(a) == b; });
  REQUIRE(at != file.end());
  for (int const orientation : {0, 9, 255}) {
    at[9] = static_cast<std::byte>(orientation);
    CHECK(io::decode_jpeg(file) == upright);
  }
  at[9] = std::byte{6};
  at[3] = std::byte{7};  // of another type
  CHECK(io::decode_jpeg(file) == upright);
  std::fill(at - 10, at + 10, std::byte{0xEE});
  CHECK(io::decode_jpeg(file) == upright);
}

TEST_CASE("a JPEG that is cut anywhere is refused") {
  for (char const* const name : {"grey.jpg", "progressive.jpg", "exif_6.jpg", "cmyk.jpg"})
    test::check_cuts(test::kept_picture(name), [](auto const& bytes) { (void)io::decode_jpeg(bytes); });
  CHECK_THROWS_WITH(io::decode_jpeg(test::kept_picture("grey.jpg", 400), {.name = "cat.jpg"}),
                    "decode_jpeg: expected 'cat.jpg' to be an intact JPEG, got Premature end of JPEG file");
}

TEST_CASE("a JPEG with an end in its middle is refused") {
  std::vector<std::byte> file = test::kept_picture("colour.jpg");
  file[file.size() - 40] = std::byte{0xFF};
  file[file.size() - 39] = std::byte{0xD9};
  CHECK_THROWS_WITH(io::decode_jpeg(file), test::contains("premature end of data segment"));
}

TEST_CASE("a JPEG with any byte changed is decoded or refused") {
  for (char const* const name : {"subsampled.jpg", "progressive.jpg", "exif_8.jpg", "ycck.jpg"}) {
    std::vector<std::byte> const file = test::kept_picture(name);
    // JPEG has no check sums: many changes are other pictures.
    CHECK(test::refused_changes(file, [](auto const& bytes) {
            (void)io::decode_jpeg(bytes, {.max_pixels = 100'000});
          }) > file.size() / 10);
  }
}

TEST_CASE("extents in the header of a JPEG are not believed") {
  std::vector<std::byte> const file = test::kept_picture("colour.jpg");
  CHECK_THROWS_WITH(io::decode_jpeg(jpeg_with_extents(file, 65'000, 65'000)),
                    test::contains("1 .. 100000000 pixels, got 65000 x 65000"));
  CHECK_THROWS_WITH(io::decode_jpeg(jpeg_with_extents(file, 9'000, 9'000)), test::contains("too short"));
  CHECK_THROWS_AS(io::decode_jpeg(jpeg_with_extents(file, 0, 19)), FileError);
  CHECK_THROWS_AS(io::decode_jpeg(jpeg_with_extents(file, 27, 0)), FileError);
  CHECK(io::decode_jpeg(file, {.max_pixels = 27 * 19}).width == 27);
  CHECK_THROWS_AS(io::decode_jpeg(file, {.max_pixels = 27 * 19 - 1}), FileError);
}

TEST_CASE("a JPEG of more than 100 scans is refused") {
  CHECK(io::decode_jpeg(scan_bomb(100)).width == 27);
  CHECK_THROWS_WITH(io::decode_jpeg(scan_bomb(101)), test::contains("more than 100 scans"));
}
