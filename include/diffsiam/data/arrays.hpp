// A Dataset from arrays of numbers: pictures (n, h, w, c), (n, h, w) or (n, c, h, w) and integer labels, out
// of .npy and safetensors files or an array in memory. data/npz_arrays.hpp reads .npz.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <diffsiam/core/error.hpp>
#include <diffsiam/core/shape.hpp>
#include <diffsiam/data/dataset.hpp>
#include <diffsiam/io/elements.hpp>
#include <diffsiam/io/npy.hpp>
#include <diffsiam/io/safetensors_reader.hpp>

namespace diffsiam::data {

/// What the numbers of pictures are.
enum class PixelRange {
  bytes,            ///< integers in 0..255
  zero_to_one,      ///< floats in [0, 1], or masks of 0 and 1
  minus_one_to_one  ///< floats in [-1, 1]
};

/// The order of the extents of pictures.
enum class ArrayLayout {
  channels_last,  ///< (n, h, w, c), or (n, h, w) of one channel
  channels_first  ///< (n, c, h, w), as PyTorch has it
};

/// What the arrays of a data set hold, and where they are.
struct ArrayConfig {
  PixelRange range = PixelRange::bytes;  ///< of the numbers
  /// Of the pictures; it must be told, since extents can be read both ways
  ArrayLayout layout = ArrayLayout::channels_last;
  /// The names in a file of several arrays.
  std::string images = "images";
  std::optional<std::string> labels{};  ///< unless given, "labels" where there is such an array
};

namespace detail {

/// An array that others own; `name` is how errors call it.
struct ArrayView {
  io::Dtype dtype;
  std::span<std::int64_t const> shape;
  std::span<std::byte const> bytes;
  std::string name;
};

[[nodiscard]] inline ArrayView view_of(io::NpyArray const& array, std::string name) {
  return {.dtype = array.dtype, .shape = array.shape, .bytes = array.bytes, .name = std::move(name)};
}

/// (n, h, w, c) of pictures. Throws FileError for another rank, and where the layout is plainly the other
/// one.
[[nodiscard]] inline Shape pictures_shape(ArrayView const& images, ArrayLayout layout) {
  auto const complain = [&](std::string_view expected, std::string_view hint = "") {
    fail<FileError>("dataset_from", {expected, " in ", images.name}, io::detail::shown_shape(images.shape),
                    hint);
  };
  if (images.shape.size() != 3 && images.shape.size() != 4) complain("a shape (n, h, w) or (n, h, w, c)");
  for (std::int64_t const extent : images.shape)
    if (extent < 1 || extent > std::numeric_limits<std::int32_t>::max()) complain("extents of 1 to 2^31 - 1");
  std::span const extent = images.shape;
  if (extent.size() == 3) return {extent[0], extent[1], extent[2], 1};
  constexpr std::int64_t most_colours = 4;
  if (layout == ArrayLayout::channels_last) {
    if (extent[3] > most_colours && extent[1] <= most_colours)
      complain("channels last", "set ArrayConfig::layout to channels_first for (n, c, h, w)");
    return {extent[0], extent[1], extent[2], extent[3]};
  }
  if (extent[1] > most_colours && extent[3] <= most_colours)
    complain("channels first", "leave ArrayConfig::layout alone for (n, h, w, c)");
  return {extent[0], extent[2], extent[3], extent[1]};
}

/// The byte that stands for a number; -1 where it is outside of the range, or NaN.
template <class Number>
[[nodiscard]] int pixel_of(Number number, PixelRange range) {
  auto const value = static_cast<double>(number);
  double const low = range == PixelRange::minus_one_to_one ? -1 : 0;
  double const high = range == PixelRange::bytes ? 255 : 1;
  if (!(value >= low && value <= high)) return -1;
  return static_cast<int>(std::lround((value - low) / (high - low) * 255));
}

/// All pixels, (n, h, w, c). Throws FileError for a number outside of the range, with its index.
[[nodiscard]] inline std::vector<std::uint8_t> pixels_of(ArrayView const& images, Shape const& shape,
                                                         ArrayConfig const& config) {
  bool const planar = config.layout == ArrayLayout::channels_first && images.shape.size() == 4;
  auto const samples = static_cast<std::size_t>(shape[0]);
  auto const planes = static_cast<std::size_t>(planar ? shape[3] : 1);
  auto const plane = static_cast<std::size_t>(shape.size() / shape[0]) / planes;
  std::vector<std::uint8_t> pixels(samples * planes * plane);
  io::detail::with_stored_type(images.dtype, [&]<class Stored>(std::type_identity<Stored>) {
    std::size_t from = 0;
    for (std::size_t sample = 0; sample < samples; ++sample)
      for (std::size_t channel = 0; channel < planes; ++channel)
        for (std::size_t i = 0; i < plane; ++i, ++from) {
          Stored stored;
          std::memcpy(&stored, images.bytes.data() + from * sizeof(Stored), sizeof(Stored));
          auto const number = io::detail::number_of(stored);
          int const pixel = pixel_of(number, config.range);
          if (pixel < 0)
            fail<FileError>("dataset_from",
                            {config.range == PixelRange::bytes         ? "integers in 0..255"
                             : config.range == PixelRange::zero_to_one ? "numbers in [0, 1]"
                                                                       : "numbers in [-1, 1]",
                             " in ", images.name},
                            io::detail::shown_element(number, from), "is it another ArrayConfig::range?");
          pixels[(sample * plane + i) * planes + channel] = static_cast<std::uint8_t>(pixel);
        }
  });
  return pixels;
}

/// Labels of at least 0, of shape (n) or (n, 1). Throws FileError for other ones.
[[nodiscard]] inline std::vector<int> labels_of(ArrayView const& labels, std::int64_t count) {
  bool const column = labels.shape.size() == 2 && labels.shape[1] == 1;
  if ((labels.shape.size() != 1 && !column) || labels.shape[0] != count)
    fail<FileError>("dataset_from", {count, " labels in ", labels.name, ", one for each picture"},
                    io::detail::shown_shape(labels.shape));
  if (io::dtype_kind(labels.dtype) != io::DtypeKind::integer)
    fail<FileError>("dataset_from", {"labels that are integers in ", labels.name},
                    io::dtype_name(labels.dtype));
  std::vector<int> result(static_cast<std::size_t>(count));
  io::decode_elements(labels.dtype, labels.bytes, std::span(result), "dataset_from", labels.name);
  for (std::size_t i = 0; i < result.size(); ++i)
    if (result[i] < 0)
      fail<FileError>("dataset_from", {"labels of at least 0 in ", labels.name},
                      io::detail::shown_element(result[i], i));
  return result;
}

/// Bytes that lie as a Dataset has them are not copied: `owner` keeps them.
[[nodiscard]] inline Dataset dataset_of(ArrayView const& images, std::shared_ptr<void const> owner,
                                        ArrayView const* labels, ArrayConfig const& config) {
  Shape const shape = pictures_shape(images, config.layout);
  bool const whole = io::dtype_kind(images.dtype) == io::DtypeKind::integer;
  if (config.range == PixelRange::bytes && (!whole || images.dtype == io::Dtype::BOOL))
    fail<FileError>("dataset_from", {"integers in ", images.name}, io::dtype_name(images.dtype),
                    "say what floats or masks mean by ArrayConfig::range");
  io::detail::require_numbers(images.dtype, "dataset_from", images.name);
  std::vector<int> numbers;
  if (labels != nullptr) numbers = labels_of(*labels, shape[0]);
  bool const as_it_is = config.range == PixelRange::bytes && images.dtype == io::Dtype::U8 &&
                        (config.layout == ArrayLayout::channels_last || shape[3] == 1);
  if (as_it_is) {
    std::span const pixels{reinterpret_cast<std::uint8_t const*>(images.bytes.data()), images.bytes.size()};
    return Dataset::borrow(pixels, shape, std::move(numbers), std::move(owner));
  }
  return Dataset{{.count = shape[0],
                  .height = shape[1],
                  .width = shape[2],
                  .channels = shape[3],
                  .pixels = pixels_of(images, shape, config)},
                 std::move(numbers)};
}

}  // namespace detail

/// Pictures out of an array: uint8 as it is, other numbers as config.range says, rounded to bytes. Throws
/// FileError for another rank, for numbers outside of that range, and for floats whose range is not said.
[[nodiscard]] inline Dataset dataset_from(io::NpyArray images, ArrayConfig const& config = {}) {
  auto const held = std::make_shared<io::NpyArray const>(std::move(images));
  return detail::dataset_of(detail::view_of(*held, "the pictures"), held, nullptr, config);
}
/// The same with labels: integers of at least 0, (n) or (n, 1). Throws FileError for other ones.
[[nodiscard]] inline Dataset dataset_from(io::NpyArray images, io::NpyArray const& labels,
                                          ArrayConfig const& config = {}) {
  auto const held = std::make_shared<io::NpyArray const>(std::move(images));
  detail::ArrayView const label_view = detail::view_of(labels, "the labels");
  return detail::dataset_of(detail::view_of(*held, "the pictures"), held, &label_view, config);
}

/// Pictures out of one .npy file. Throws FileError as io::read_npy and dataset_from do.
[[nodiscard]] inline Dataset load_npy(std::filesystem::path const& images, ArrayConfig const& config = {}) {
  auto const held = std::make_shared<io::NpyArray const>(io::read_npy(images));
  return detail::dataset_of(detail::view_of(*held, io::detail::quoted(images)), held, nullptr, config);
}
/// The same, and their labels out of another.
[[nodiscard]] inline Dataset load_npy(std::filesystem::path const& images,
                                      std::filesystem::path const& labels, ArrayConfig const& config = {}) {
  auto const held = std::make_shared<io::NpyArray const>(io::read_npy(images));
  io::NpyArray const numbers = io::read_npy(labels);
  detail::ArrayView const label_view = detail::view_of(numbers, io::detail::quoted(labels));
  return detail::dataset_of(detail::view_of(*held, io::detail::quoted(images)), held, &label_view, config);
}

/// Pictures, and labels where there are some, out of a safetensors file, under the names that config has.
/// Bytes that lie as a Dataset has them are read from the disk when they are touched (io::MappedFile). Throws
/// FileError as io::SafetensorsFile and dataset_from do.
[[nodiscard]] inline Dataset load_safetensors(std::filesystem::path const& path,
                                              ArrayConfig const& config = {}) {
  auto const held = std::make_shared<io::SafetensorsFile const>(io::SafetensorsFile::map(path));
  auto const view = [&](std::string const& name) {
    return detail::ArrayView{.dtype = held->dtype(name),
                             .shape = held->shape(name),
                             .bytes = held->bytes(name),
                             .name = io::detail::shown_name(name) + " of " + io::detail::quoted(path)};
  };
  std::optional<detail::ArrayView> labels;
  std::string const name = config.labels.value_or("labels");
  if (config.labels || held->contains(name)) labels = view(name);
  return detail::dataset_of(view(config.images), held, labels ? &*labels : nullptr, config);
}

}  // namespace diffsiam::data
