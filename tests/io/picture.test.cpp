#include <cmath>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include <tests/io/scratch.hpp>
#include <tests/support/catch.hpp>

#include <diffsiam/backend/reference/reference.hpp>
#include <diffsiam/io/picture.hpp>

using namespace diffsiam;
using namespace diffsiam::test;
using io::Picture;
using Bytes = std::vector<std::uint8_t>;

TEST_CASE("[-1, 1] becomes 0..255, clamped and rounded, NaN black", "[io][picture]") {
  CHECK(io::pixel_from_unit(-1.0F) == 0);
  CHECK(io::pixel_from_unit(1.0F) == 255);
  CHECK(io::pixel_from_unit(0.0) == 128);
  CHECK(io::pixel_from_unit(-7.0) == 0);
  CHECK(io::pixel_from_unit(7.0F) == 255);
  CHECK(io::pixel_from_unit(std::numeric_limits<float>::infinity()) == 255);
  CHECK(io::pixel_from_unit(-std::numeric_limits<float>::infinity()) == 0);
  CHECK(io::pixel_from_unit(std::nan("")) == 0);
  for (int i = 0; i < 256; ++i) CHECK(io::pixel_from_unit(static_cast<float>(i) / 127.5F - 1.0F) == i);
}

TEST_CASE("a batch laid out NHWC becomes pictures", "[io][picture]") {
  std::vector<float> const values{-1, 1, 1, 1,  -1, -1,  // (1, 2, 3): two pixels of RGB
                                  1,  1, 1, -1, -1, -1};
  auto const pictures = io::pictures_from_unit(std::span(values), 2, 1, 2, 3);
  REQUIRE(pictures.size() == 2);
  CHECK(pictures[0] == Picture{.height = 1, .width = 2, .channels = 3, .pixels = {0, 255, 255, 255, 0, 0}});
  CHECK(pictures[1].pixels == Bytes{255, 255, 255, 0, 0, 0});
  CHECK(message_of<ShapeError>([&] { (void)io::pictures_from_unit(std::span(values), 3, 1, 2, 3); }) ==
        "pictures_from_unit: expected 3 times (1, 2, 3) values, got 12");
  CHECK_THROWS_AS(io::pictures_from_unit(std::span(values), 3, 2, 1, 2), ShapeError);
  CHECK(io::pictures_from_unit(std::span<float const>{}, 0, 40000, 40000, 1).empty());  // 1.6 GB each
}

TEST_CASE("upscale repeats pixels as squares", "[io][picture]") {
  Picture const small{.height = 2, .width = 1, .channels = 1, .pixels = {1, 2}};
  CHECK(io::upscale(small, 2) ==
        Picture{.height = 4, .width = 2, .channels = 1, .pixels = {1, 1, 1, 1, 2, 2, 2, 2}});
  Picture const colour{.height = 1, .width = 2, .channels = 3, .pixels = {1, 2, 3, 4, 5, 6}};
  CHECK(io::upscale(colour, 2).pixels ==
        Bytes{1, 2, 3, 1, 2, 3, 4, 5, 6, 4, 5, 6, 1, 2, 3, 1, 2, 3, 4, 5, 6, 4, 5, 6});
  CHECK(io::upscale(colour, 1) == colour);
  CHECK(
      contains(message_of<ShapeError>([&] { (void)io::upscale(colour, 0); }), "upscale: expected a factor"));
  CHECK(contains(message_of<ShapeError>([&] { (void)io::upscale(colour, 1000000); }), "2^31 bytes"));
}

TEST_CASE("a grid pads between its pictures and may end in a short row", "[io][picture]") {
  std::vector<Picture> const pictures{io::blank_picture(1, 2, 1, 10), io::blank_picture(1, 2, 1, 20),
                                      io::blank_picture(1, 2, 1, 30)};
  Picture const result = io::grid(pictures, 2, 1, 0);
  CHECK(result == Picture{.height = 3,
                          .width = 5,
                          .channels = 1,
                          .pixels = {10, 10, 0, 20, 20, 0, 0, 0, 0, 0, 30, 30, 0, 0, 0}});
  CHECK(io::grid(pictures, 8, 0).width == 6);
  CHECK(io::grid(pictures, 1, 0).height == 3);
  CHECK_THROWS_AS(io::grid(std::span<Picture const>{}, 1), ShapeError);
  CHECK_THROWS_AS(io::grid(pictures, 0), ShapeError);
  CHECK_THROWS_AS(io::grid(pictures, 1, -1), ShapeError);
  std::vector<Picture> const mixed{io::blank_picture(1, 2, 1, 10), io::blank_picture(2, 1, 1, 20)};
  CHECK(message_of<ShapeError>([&] { (void)io::grid(mixed, 2); }) ==
        "grid: expected pictures of equal extents, (1, 2, 1), got (2, 1, 1)");
}

TEST_CASE("side by side aligns the upper edges and turns gray into RGB where needed", "[io][picture]") {
  std::vector<Picture> const pictures{Picture{.height = 1, .width = 1, .channels = 3, .pixels = {1, 2, 3}},
                                      io::blank_picture(2, 1, 1, 9)};
  CHECK(io::side_by_side(pictures, 1, 0) ==
        Picture{.height = 2,
                .width = 3,
                .channels = 3,
                .pixels = {1, 2, 3, 0, 0, 0, 9, 9, 9, 0, 0, 0, 0, 0, 0, 9, 9, 9}});
  CHECK_THROWS_AS(io::side_by_side(std::span<Picture const>{}), ShapeError);
}

TEST_CASE("pictures whose pixels and extents disagree are refused", "[io][picture]") {
  Picture const wrong{.height = 2, .width = 2, .channels = 1, .pixels = {1, 2, 3}};
  CHECK(message_of<ShapeError>([&] { (void)io::upscale(wrong, 2); }) ==
        "upscale: expected as many pixels as (2, 2, 1) says, got 3");
  CHECK_THROWS_AS(io::blank_picture(0, 2, 1, 0), ShapeError);
  CHECK_THROWS_AS(io::blank_picture(2, 2, 2, 0), ShapeError);
  CHECK_THROWS_AS(io::blank_picture(1 << 16, 1 << 16, 3, 0), ShapeError);
}

TEST_CASE("pictures are made of a tensor in any scalar type", "[io][picture]") {
  using B = backend::Reference<double>;
  B::Context context;
  auto const images =
      Tensor<B>::from(context, {2, 1, 2, 1}, std::span<double const>(std::vector<double>{-1, 1, 0, 2}));
  auto const pictures = io::pictures_from_unit(images);
  REQUIRE(pictures.size() == 2);
  CHECK(pictures[0].pixels == Bytes{0, 255});
  CHECK(pictures[1].pixels == Bytes{128, 255});
  CHECK(pictures[1].width == 2);
  CHECK_THROWS_AS(io::pictures_from_unit(Tensor<B>::zeros(context, {2, 2})), ShapeError);
}
