#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <tests/io/kept_pictures.hpp>
#include <tests/support/catch.hpp>

#include <diffsiam/io/decode_picture.hpp>

using namespace diffsiam;

namespace {

std::string refusal_of(std::span<std::byte const> bytes) {
  return test::message_of<FileError>([&] { (void)io::decode_picture(bytes, {.name = "a.png"}); });
}
std::string refusal_of(std::string_view text) {
  return refusal_of(std::as_bytes(std::span(text)));
}

}  // namespace

TEST_CASE("what a picture is say its first bytes") {
  CHECK(io::decode_picture(test::kept_picture("grey_8.png")) ==
        io::decode_png(test::kept_picture("grey_8.png")));
  CHECK(io::decode_picture(test::kept_picture("cmyk.jpg")) ==
        io::decode_jpeg(test::kept_picture("cmyk.jpg")));
  CHECK(io::picture_format(test::kept_picture("lossy.webp")) == io::PictureFormat::webp);
#if defined(DIFFSIAM_WITH_WEBP)
  CHECK(io::decode_picture(test::kept_picture("lossy.webp")) ==
        io::decode_webp(test::kept_picture("lossy.webp")));
#else
  CHECK(test::contains(refusal_of(test::kept_picture("lossy.webp")), "reads no WebP), got WebP"));
#endif
}

TEST_CASE("the options reach the decoders") {
  CHECK(io::decode_picture(test::kept_picture("rgba_8.png"), {.ground = {1, 2, 3}}).pixels[2] == 3);
  CHECK_THROWS_WITH(io::decode_picture(test::kept_picture("grey.jpg"), {.max_pixels = 1, .name = "a.jpg"}),
                    test::contains("decode_jpeg: expected 'a.jpg' to have 1 .. 1 pixels"));
}

TEST_CASE("files of other formats are refused by name") {
  CHECK(test::contains(refusal_of(test::kept_picture("tiny.gif")),
                       "decode_picture: expected 'a.png' to be PNG"));
  CHECK(test::contains(refusal_of(test::kept_picture("tiny.gif")), ", got GIF; convert it first"));
  CHECK(test::contains(refusal_of(test::kept_picture("tiny.bmp")), ", got BMP"));
  CHECK(test::contains(refusal_of(test::kept_picture("tiny.tiff")), ", got TIFF"));
  CHECK(test::contains(refusal_of({"\0\0\0\x1c"
                                   "ftypheic\0\0\0\0",
                                   16}),
                       ", got HEIC"));
  CHECK(test::contains(refusal_of({"\0\0\0\x1c"
                                   "ftypavif\0\0\0\0",
                                   16}),
                       ", got AVIF"));
  CHECK(test::contains(refusal_of("<svg xmlns='http://www.w3.org/2000/svg'/>"), ", got SVG"));
  CHECK(test::contains(refusal_of("<?xml version='1.0'?><svg/>"), ", got SVG or other XML"));
  CHECK(test::contains(refusal_of("No picture at all."), ", got a file of another kind"));
  CHECK(test::contains(refusal_of(""), ", got an empty file"));
}

TEST_CASE("a file that is only the beginning of a picture is refused") {
  CHECK(test::contains(refusal_of({"\x89PNG\r\n\x1a\n", 8}),
                       "decode_png: expected 'a.png' to be an intact PNG"));
  CHECK(test::contains(refusal_of("\xff\xd8\xff"), "decode_jpeg: expected 'a.png' to be an intact JPEG"));
  CHECK(test::contains(refusal_of({"RIFF\0\0\0\0WEBP", 12}), "WebP"));
}
