#include <cstddef>
#include <string>
#include <vector>

#include <tests/io/kept_pictures.hpp>
#include <tests/support/catch.hpp>

#include <diffsiam/io/decode_webp.hpp>

using namespace diffsiam;

namespace {

// Of lossy files, which other versions of libwebp may round otherwise.
constexpr int webp_tolerance = 2;

}  // namespace

TEST_CASE("a WebP has the pixels that Pillow reads from it") {
  for (std::string const name : {"lossless", "lossless_alpha", "lossy", "lossy_alpha"}) {
    INFO(name);
    int const tolerance = name.starts_with("lossless") ? 0 : webp_tolerance;
    std::vector<std::byte> const file = test::kept_picture(name + ".webp");
    CHECK(test::largest_difference(io::decode_webp(file), test::kept_pixels(test::kept_pictures, name)) <=
          tolerance);
    if (!name.ends_with("alpha")) continue;
    CHECK(test::largest_difference(io::decode_webp(file, {.ground = {10, 200, 60}}),
                                   test::kept_pixels(test::kept_pictures, name + ".ground")) <= tolerance);
  }
}

TEST_CASE("an animated WebP is refused") {
  CHECK_THROWS_WITH(io::decode_webp(test::kept_picture("animated.webp"), {.name = "cat.webp"}),
                    "decode_webp: expected 'cat.webp' to be an intact WebP of one picture, got an animation");
}

TEST_CASE("a WebP that is cut anywhere is refused") {
  for (char const* const name : {"lossless.webp", "lossless_alpha.webp", "lossy.webp", "lossy_alpha.webp"})
    test::check_cuts(test::kept_picture(name), [](auto const& bytes) { (void)io::decode_webp(bytes); });
  CHECK_THROWS_WITH(io::decode_webp(test::kept_picture("lossy.webp", 100)),
                    "decode_webp: expected the picture to be an intact WebP, got the end of the file");
}

TEST_CASE("a WebP with any byte changed is decoded or refused") {
  for (char const* const name : {"lossless_alpha.webp", "lossy.webp", "lossy_alpha.webp"}) {
    std::vector<std::byte> const file = test::kept_picture(name);
    CHECK(test::refused_changes(
              file, [](auto const& bytes) { (void)io::decode_webp(bytes, {.max_pixels = 100'000}); }) > 10);
  }
}

TEST_CASE("max_pixels is checked before a WebP is decoded") {
  std::vector<std::byte> const file = test::kept_picture("lossy.webp");  // 27 x 19
  CHECK(io::decode_webp(file, {.max_pixels = 27 * 19}).width == 27);
  CHECK_THROWS_WITH(io::decode_webp(file, {.max_pixels = 512}),
                    test::contains("1 .. 512 pixels, got 19 x 27"));
}
