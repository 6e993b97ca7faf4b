#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <span>
#include <string>
#include <vector>

#include <tests/data/files.hpp>
#include <tests/support/catch.hpp>

#include <diffsiam/data/arrays.hpp>
#include <diffsiam/io/safetensors_writer.hpp>

using namespace diffsiam;
using data::ArrayLayout;
using data::PixelRange;
using test::contains;
using test::Scratch;

namespace {

/// An array of these values, each as it lies in memory.
template <class T>
io::NpyArray array_of(io::Dtype dtype, std::vector<std::int64_t> const& shape, std::vector<T> const& values) {
  auto const bytes = std::as_bytes(std::span(values));
  return {.dtype = dtype, .shape = shape, .bytes = {bytes.begin(), bytes.end()}};
}
io::NpyArray bytes_of(std::vector<std::int64_t> const& shape, std::size_t count) {
  return array_of(io::Dtype::U8, shape, test::counting(count));
}
io::NpyArray floats_of(std::vector<std::int64_t> const& shape, std::vector<float> const& values) {
  return array_of(io::Dtype::F32, shape, values);
}
io::NpyArray labels_of(std::vector<std::int64_t> const& shape, std::vector<std::int64_t> const& values) {
  return array_of(io::Dtype::I64, shape, values);
}

}  // namespace

TEST_CASE("bytes (n, h, w, c) and (n, h, w) are pictures as they are") {
  data::Dataset const colour = data::dataset_from(bytes_of({2, 2, 3, 3}, 36));
  REQUIRE(colour.shape() == Shape{2, 2, 3, 3});
  REQUIRE_FALSE(colour.labelled());
  REQUIRE(colour.pixels(1)[0] == 18);
  data::Dataset const gray = data::dataset_from(bytes_of({2, 2, 3}, 12));
  REQUIRE(gray.shape() == Shape{2, 2, 3, 1});
  REQUIRE(gray.pixels(1) == std::vector<std::uint8_t>{6, 7, 8, 9, 10, 11});
}

TEST_CASE("pictures (n, c, h, w) get their channels last") {
  data::Dataset const set =
      data::dataset_from(bytes_of({2, 3, 2, 2}, 24), {.layout = ArrayLayout::channels_first});
  REQUIRE(set.shape() == Shape{2, 2, 2, 3});
  REQUIRE(set.pixels(0) == std::vector<std::uint8_t>{0, 4, 8, 1, 5, 9, 2, 6, 10, 3, 7, 11});
  REQUIRE(set.pixels(1)[0] == 12);
  REQUIRE(data::dataset_from(bytes_of({2, 2, 3}, 12), {.layout = ArrayLayout::channels_first}).pixels(1)[0] ==
          6);
}

TEST_CASE("floats are pictures by the range that is said, rounded to bytes") {
  std::vector<float> const units{0, 1, 0.5F, 0.25F};
  REQUIRE(data::dataset_from(floats_of({1, 2, 2}, units), {.range = PixelRange::zero_to_one}).pixels(0) ==
          std::vector<std::uint8_t>{0, 255, 128, 64});
  std::vector<float> const signs{-1, 1, 0, -0.5F};
  REQUIRE(
      data::dataset_from(floats_of({1, 2, 2}, signs), {.range = PixelRange::minus_one_to_one}).pixels(0) ==
      std::vector<std::uint8_t>{0, 255, 128, 64});
  std::vector<double> const doubles{0, 1};
  REQUIRE(data::dataset_from(array_of(io::Dtype::F64, {1, 1, 2}, doubles), {.range = PixelRange::zero_to_one})
              .pixels(0) == std::vector<std::uint8_t>{0, 255});
}

TEST_CASE("all bytes come back from floats in [-1, 1]") {
  std::vector<float> values;
  for (int i = 0; i < 256; ++i) values.push_back(data::unit_from_pixel(static_cast<std::uint8_t>(i)));
  auto const pixels =
      data::dataset_from(floats_of({1, 16, 16}, values), {.range = PixelRange::minus_one_to_one}).pixels(0);
  for (std::size_t i = 0; i < 256; ++i) REQUIRE(pixels[i] == i);
}

TEST_CASE("masks and wider integers are pictures, too") {
  io::NpyArray const masks = array_of(io::Dtype::BOOL, {1, 1, 2}, std::vector<std::uint8_t>{0, 1});
  REQUIRE(data::dataset_from(masks, {.range = PixelRange::zero_to_one}).pixels(0) ==
          std::vector<std::uint8_t>{0, 255});
  REQUIRE_THROWS_WITH(data::dataset_from(masks), contains("integers in the pictures") &&
                                                     contains("got BOOL") && contains("ArrayConfig::range"));
  REQUIRE(data::dataset_from(labels_of({1, 1, 2}, {3, 255})).pixels(0) == std::vector<std::uint8_t>{3, 255});
  REQUIRE_THROWS_WITH(data::dataset_from(labels_of({1, 1, 2}, {3, 256})),
                      contains("integers in 0..255") && contains("256 at index 1"));
}

TEST_CASE("numbers outside of the range are refused with their index") {
  float const nan = std::numeric_limits<float>::quiet_NaN();
  auto const refused = [](float value, PixelRange range) {
    return test::message_of<FileError>(
        [&] { (void)data::dataset_from(floats_of({1, 1, 2}, {0.5F, value}), {.range = range}); });
  };
  REQUIRE(refused(1, PixelRange::zero_to_one).empty());
  REQUIRE(contains(refused(-0.25F, PixelRange::zero_to_one), "numbers in [0, 1]"));
  REQUIRE(contains(refused(1.5F, PixelRange::zero_to_one), "1.5 at index 1"));
  REQUIRE(contains(refused(-1.5F, PixelRange::minus_one_to_one), "numbers in [-1, 1]"));
  REQUIRE(contains(refused(nan, PixelRange::minus_one_to_one), "NaN at index 1"));
  REQUIRE_THROWS_WITH(data::dataset_from(floats_of({1, 1, 1}, {0})),
                      contains("got F32") && contains("ArrayConfig::range"));
}

TEST_CASE("arrays that are no pictures are refused by their shape") {
  REQUIRE_THROWS_WITH(data::dataset_from(bytes_of({4, 3}, 12)),
                      contains("a shape (n, h, w) or (n, h, w, c)") && contains("[4, 3]"));
  REQUIRE_THROWS_WITH(data::dataset_from(bytes_of({0, 3, 3}, 0)), contains("extents of 1"));
  REQUIRE_THROWS_WITH(data::dataset_from(bytes_of({2, 3, 8, 8}, 384)),
                      contains("channels last") && contains("channels_first"));
  REQUIRE_THROWS_WITH(
      data::dataset_from(bytes_of({2, 8, 8, 3}, 384), {.layout = ArrayLayout::channels_first}),
      contains("channels first"));
}

TEST_CASE("labels are integers, one for each picture, in one axis or a column") {
  REQUIRE(data::dataset_from(bytes_of({2, 1, 1}, 2), labels_of({2}, {4, 0})).labels() ==
          std::vector<int>{4, 0});
  REQUIRE(data::dataset_from(bytes_of({2, 1, 1}, 2), labels_of({2, 1}, {4, 0})).classes() == 5);
  auto const refused = [](io::NpyArray const& labels) {
    return test::message_of<FileError>([&] { (void)data::dataset_from(bytes_of({2, 1, 1}, 2), labels); });
  };
  REQUIRE(contains(refused(labels_of({3}, {0, 1, 2})), "2 labels in the labels"));
  REQUIRE(contains(refused(labels_of({2, 2}, {0, 1, 1, 0})), "got [2, 2]"));
  REQUIRE(contains(refused(floats_of({2}, {0, 1})), "labels that are integers"));
  REQUIRE(contains(refused(labels_of({2}, {0, -1})), "-1 at index 1"));
  REQUIRE(contains(refused(labels_of({2}, {std::int64_t{1} << 32, 0})), "4294967296 at index 0"));
}

TEST_CASE("pictures and labels are read from .npy files, and errors name the file") {
  Scratch const scratch;
  io::write_npy(scratch / "x.npy", {2, 2, 2}, test::counting(8));
  io::write_npy(scratch / "y.npy", {2}, std::vector<int>{1, 3});
  REQUIRE(data::load_npy(scratch / "x.npy").size() == 2);
  data::Dataset const set = data::load_npy(scratch / "x.npy", scratch / "y.npy");
  REQUIRE(set.labels() == std::vector<int>{1, 3});
  REQUIRE(set.pixels(1) == std::vector<std::uint8_t>{4, 5, 6, 7});
  io::write_npy(scratch / "y.npy", {3}, std::vector<int>{1, 3, 3});
  REQUIRE_THROWS_WITH(data::load_npy(scratch / "x.npy", scratch / "y.npy"), contains("y.npy'"));
  REQUIRE_THROWS_WITH(data::load_npy(scratch / "y.npy"), contains("y.npy'"));
  REQUIRE_THROWS_WITH(data::load_npy(scratch / "x.npy", scratch / "z.npy"), contains("z.npy'"));
}

TEST_CASE("pictures and labels are read from a safetensors file by their names") {
  Scratch const scratch;
  io::SafetensorsWriter writer;
  writer.add("images", io::Dtype::U8, {2, 1, 2}, test::counting(4));
  writer.add("labels", io::Dtype::I64, {2}, std::vector<std::int64_t>{5, 6});
  writer.add("floats", io::Dtype::F16, {1, 3, 1, 2}, std::vector<float>{0, 1, 0, 1, 1, 1});
  writer.write(scratch / "set.safetensors");
  std::filesystem::path const path = scratch / "set.safetensors";
  data::Dataset const set = data::load_safetensors(path);
  REQUIRE(set.labels() == std::vector<int>{5, 6});
  REQUIRE(set.pixels(1) == std::vector<std::uint8_t>{2, 3});
  data::ArrayConfig const planes{
      .range = PixelRange::zero_to_one, .layout = ArrayLayout::channels_first, .images = "floats"};
  REQUIRE_THROWS_WITH(data::load_safetensors(path, planes), contains("1 labels in 'labels' of"));
  REQUIRE_THROWS_WITH(data::load_safetensors(path, {.labels = "y"}), contains("'y'"));
  REQUIRE_THROWS_WITH(data::load_safetensors(path, {.images = "x"}), contains("'x'"));
}

TEST_CASE("floats in planes are read from a safetensors file") {
  Scratch const scratch;
  io::SafetensorsWriter writer;
  writer.add("images", io::Dtype::F16, {1, 3, 1, 2}, std::vector<float>{0, 1, 0, 1, 1, 1});
  writer.write(scratch / "set.safetensors");
  data::Dataset const set = data::load_safetensors(
      scratch / "set.safetensors", {.range = PixelRange::zero_to_one, .layout = ArrayLayout::channels_first});
  REQUIRE_FALSE(set.labelled());
  REQUIRE(set.pixels(0) == std::vector<std::uint8_t>{0, 0, 255, 255, 255, 255});
}
