// Pictures and PNG: any extents, factors and pixels are arranged and encoded, or refused; what is encoded
// decodes to the same pixels.
#include <algorithm>
#include <cstdint>
#include <cstring>
#include <vector>

#include <png.h>
#include <tests/fuzz/fuzz.hpp>

#include <diffsiam/io/picture.hpp>
#include <diffsiam/io/png.hpp>

using namespace diffsiam;
using namespace diffsiam::fuzz;

namespace {

/// The numbers at the head of an input; zeros where it ends.
struct Head {
  std::int32_t height, width, channels, factor, columns, padding;
};

void require_same(std::vector<std::byte> const& file, io::Picture const& picture) {
  png_image image{};
  image.version = PNG_IMAGE_VERSION;
  require(png_image_begin_read_from_memory(&image, file.data(), file.size()) != 0, "a PNG is one");
  image.format = picture.channels == 1 ? PNG_FORMAT_GRAY : PNG_FORMAT_RGB;
  std::vector<std::uint8_t> pixels(PNG_IMAGE_SIZE(image));
  require(png_image_finish_read(&image, nullptr, pixels.data(), 0, nullptr) != 0, "a PNG can be read");
  require(pixels == picture.pixels, "a PNG holds the picture's pixels");
}

}  // namespace

std::vector<Bytes> fuzz::seeds() {
  std::vector<Bytes> result;
  for (Head const head : {Head{2, 3, 1, 2, 2, 1}, Head{1, 2, 3, 1, 1, 0}}) {
    Bytes bytes(sizeof head);
    std::memcpy(bytes.data(), &head, sizeof head);
    for (std::uint8_t i = 0; i < 6; ++i) bytes.push_back(static_cast<std::uint8_t>(40 * i));
    result.push_back(bytes);
  }
  return result;
}

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  Head head{};
  std::memcpy(&head, data, std::min(size, sizeof head));
  std::size_t const begin = std::min(size, sizeof head);
  io::Picture const picture{.height = head.height,
                            .width = head.width,
                            .channels = head.channels,
                            .pixels = {data + begin, data + size}};
  // A picture as PNG may take some tens of bytes more than its pixels, and a row one more.
  bool const good = reads(size, {.factor = 4}, [&] { require_same(io::encode_png(picture), picture); });
  accepted += good ? 1 : 0;

  // What is made larger is as large as was asked for: ask for little.
  head.factor %= 8;
  head.padding %= 8;
  reads(64 * size, {.factor = 4}, [&] { (void)io::upscale(picture, head.factor); });
  std::vector<io::Picture> const three(3, picture);
  reads(size, {.factor = 4 * 1024}, [&] { (void)io::grid(three, head.columns, head.padding); });
  reads(size, {.factor = 4 * 1024}, [&] { (void)io::side_by_side(three, head.padding); });
  std::vector<float> values;
  for (std::size_t i = begin; i + sizeof(float) <= size; i += sizeof(float))
    std::memcpy(&values.emplace_back(), data + i, sizeof(float));
  reads(size, {.factor = 64}, [&] {
    (void)io::pictures_from_unit(std::span<float const>(values), head.columns, head.height, head.width,
                                 head.channels);
  });
  return 0;
}
