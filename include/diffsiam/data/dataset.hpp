// Dataset: pictures and their labels, in memory or read from a PictureSource when they are needed. A Dataset
// is a handle: copies, subsets and splits share the pictures.
#pragma once

#include <algorithm>
#include <concepts>
#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <numeric>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <diffsiam/core/error.hpp>
#include <diffsiam/core/shape.hpp>
#include <diffsiam/data/idx.hpp>
#include <diffsiam/data/permutation.hpp>
#include <diffsiam/data/picture_source.hpp>

namespace diffsiam::data {

/// 0..255 to [-1, 1], both ends exact.
[[nodiscard]] constexpr float unit_from_pixel(std::uint8_t pixel) {
  return static_cast<float>(2 * static_cast<int>(pixel) - 255) / 255.0F;
}

/// Immutable, safe to share between threads.
class Dataset {
 public:
  Dataset() = default;
  /// Labels may be empty: unlabelled. Throws ShapeError when the extents, the number of pixels or the number
  /// of labels do not fit together, RangeError for a negative label.
  explicit Dataset(ImageSet images, std::vector<int> labels = {}) {
    auto const held = std::make_shared<ImageSet const>(std::move(images));
    *this = borrow(held->pixels, {held->count, held->height, held->width, held->channels}, std::move(labels),
                   held);
  }
  /// Pictures that `source` reads whenever they are needed, on the threads that need them. Labels are
  /// source.labels(), where the source has that function. Throws as the constructor above.
  template <class S>
    requires(!std::same_as<S, Dataset>) && PictureSource<S>
  explicit Dataset(S source) {
    auto const held = std::make_shared<S const>(std::move(source));
    std::vector<int> labels;
    if constexpr (LabelledSource<S>) labels = held->labels();
    ImageExtent const extent = held->extent();
    if (held->size() < 1 || extent.height < 1 || extent.width < 1 || extent.channels < 1)
      fail<ShapeError>("Dataset", "at least one picture, and extents of at least 1",
                       {held->size(), " pictures of ", detail::shown(extent)});
    *this = Dataset{{.memory = {},
                     .owner = {},
                     .read = [held](Index i, std::span<std::uint8_t> out) { held->read(i, out); },
                     .count = held->size(),
                     .extent = extent},
                    std::move(labels)};
  }

  /// A copy of pictures in memory: `pixels` of `shape` (n, h, w, c), 0..255. Throws as the first constructor.
  [[nodiscard]] static Dataset from(std::span<std::uint8_t const> pixels, Shape const& shape,
                                    std::span<int const> labels = {}) {
    require_rank("Dataset::from", 4, shape, "(n, h, w, c)");
    return Dataset{{.count = shape[0],
                    .height = shape[1],
                    .width = shape[2],
                    .channels = shape[3],
                    .pixels = {pixels.begin(), pixels.end()}},
                   {labels.begin(), labels.end()}};
  }
  /// The same without a copy. The memory must live as long as the set and all that is cut from it; `owner`,
  /// where it is given, is kept that long.
  [[nodiscard]] static Dataset borrow(std::span<std::uint8_t const> pixels, Shape const& shape,
                                      std::vector<int> labels = {}, std::shared_ptr<void const> owner = {}) {
    require_rank("Dataset::borrow", 4, shape, "(n, h, w, c)");
    require_extents(pixels.size(), shape);
    return Dataset{
        {.memory = pixels,
         .owner = std::move(owner),
         .read = {},
         .count = shape[0],
         .extent = {static_cast<int>(shape[1]), static_cast<int>(shape[2]), static_cast<int>(shape[3])}},
        std::move(labels)};
  }

  /// The number of pictures; 0 for an empty handle.
  [[nodiscard]] Index size() const { return rows_ ? static_cast<Index>(rows_->size()) : 0; }
  /// Of each picture, in pixels.
  [[nodiscard]] Index height() const { return extent().height; }
  /// Of each picture, in pixels.
  [[nodiscard]] Index width() const { return extent().width; }
  /// Of each picture: mostly 1 or 3.
  [[nodiscard]] Index channels() const { return extent().channels; }
  /// (h, w, c) of each picture.
  [[nodiscard]] ImageExtent extent() const { return store_ ? store_->pictures.extent : ImageExtent{0, 0, 0}; }
  /// (n, h, w, c).
  [[nodiscard]] Shape shape() const { return {size(), height(), width(), channels()}; }
  /// Values in one picture.
  [[nodiscard]] Index image_size() const { return height() * width() * channels(); }
  /// Whether each picture has a label.
  [[nodiscard]] bool labelled() const { return store_ && !store_->labels.empty(); }
  /// Greatest label + 1 over all pictures that this set was cut from; 0 when unlabelled.
  [[nodiscard]] int classes() const { return store_ ? store_->classes : 0; }

  /// Pixels of picture i, (h, w, c), 0..255. i in [0, size()). Throws what the source throws.
  [[nodiscard]] std::vector<std::uint8_t> pixels(Index i) const {
    std::vector<std::uint8_t> result(static_cast<std::size_t>(image_size()));
    read(i, result);
    return result;
  }
  /// The same into `out`, which has image_size() values. With size() and extent() it makes a Dataset itself a
  /// PictureSource.
  void read(Index i, std::span<std::uint8_t> out) const {
    Pictures const& pictures = store_->pictures;
    if (pictures.read)
      pictures.read(static_cast<Index>(row(i)), out);
    else
      std::copy_n(in_memory(i), out.size(), out.begin());
  }
  /// Which picture i is of the whole set that this one was cut from: its place in lists of names.
  [[nodiscard]] Index origin(Index i) const { return static_cast<Index>(row(i)); }
  /// Label of picture i; only of a labelled set.
  [[nodiscard]] int label(Index i) const { return store_->labels[row(i)]; }
  /// Writes picture i as floats in [-1, 1]; `out` has image_size() values. Throws what the source throws.
  void to_unit(Index i, std::span<float> out) const {
    if (!store_->pictures.read) {
      std::transform(in_memory(i), in_memory(i) + out.size(), out.begin(), unit_from_pixel);
      return;
    }
    // The bytes are read into the end of the floats' own memory, where none is overwritten before its turn.
    auto const bytes = std::as_writable_bytes(out).last(out.size());
    std::span const source{reinterpret_cast<std::uint8_t*>(bytes.data()), out.size()};
    store_->pictures.read(static_cast<Index>(row(i)), source);
    for (std::size_t k = 0; k < out.size(); ++k) out[k] = unit_from_pixel(source[k]);
  }

  /// All labels, in order; empty when unlabelled.
  [[nodiscard]] std::vector<int> labels() const {
    std::vector<int> result;
    if (!labelled()) return result;
    result.reserve(rows_->size());
    for (std::uint32_t const row : *rows_) result.push_back(store_->labels[row]);
    return result;
  }
  /// All pictures as floats in [-1, 1], (n, h, w, c).
  [[nodiscard]] std::vector<float> units() const {
    auto const each = static_cast<std::size_t>(image_size());
    std::vector<float> result(static_cast<std::size_t>(size()) * each);
    for (Index i = 0; i < size(); ++i)
      to_unit(i, std::span(result).subspan(static_cast<std::size_t>(i) * each, each));
    return result;
  }

  /// The pictures at `positions` of this set, in that order. Throws RangeError for a position outside.
  [[nodiscard]] Dataset subset(std::span<Index const> positions) const {
    std::vector<std::uint32_t> rows;
    rows.reserve(positions.size());
    for (Index const i : positions) {
      if (i < 0 || i >= size())
        fail<RangeError>("Dataset::subset", "positions in [0, " + std::to_string(size()) + ")", i);
      rows.push_back((*rows_)[static_cast<std::size_t>(i)]);
    }
    return with_rows(std::move(rows));
  }
  /// Pictures [begin, end). Throws RangeError outside.
  [[nodiscard]] Dataset slice(Index begin, Index end) const {
    if (begin < 0 || end < begin || end > size())
      fail<RangeError>("Dataset::slice", "0 <= begin <= end <= " + std::to_string(size()),
                       std::to_string(begin) + " .. " + std::to_string(end));
    return with_rows(rows_ ? std::vector(rows_->begin() + begin, rows_->begin() + end)
                           : std::vector<std::uint32_t>{});
  }

  /// `first` pictures drawn at random, and the rest; both in their old order. The same seed draws the same
  /// ones. Throws RangeError unless 0 <= first <= size().
  [[nodiscard]] std::pair<Dataset, Dataset> split(Index first, std::uint64_t seed) const {
    if (first < 0 || first > size())
      fail<RangeError>("Dataset::split", "a first part of 0 .. " + std::to_string(size()) + " pictures",
                       first);
    std::vector<std::uint32_t> order(static_cast<std::size_t>(size()));
    fill_permutation(order, Rng{.seed = seed, .stream = split_stream});
    auto const middle = order.begin() + first;
    std::sort(order.begin(), middle);
    std::sort(middle, order.end());
    for (std::uint32_t& position : order) position = (*rows_)[position];
    return {with_rows({order.begin(), middle}), with_rows({middle, order.end()})};
  }

 private:
  /// All pictures of a store: bytes in memory, or a function that reads one.
  struct Pictures {
    std::span<std::uint8_t const> memory;
    std::shared_ptr<void const> owner;  ///< of the memory
    std::function<void(Index, std::span<std::uint8_t>)> read;
    Index count;
    ImageExtent extent;
  };
  struct Store {
    Pictures pictures;
    std::vector<int> labels;
    int classes;
  };

  Dataset(Pictures pictures, std::vector<int> labels) {
    if (!labels.empty() && static_cast<Index>(labels.size()) != pictures.count)
      fail<ShapeError>("Dataset", {pictures.count, " labels, one for each picture"}, labels.size());
    for (std::size_t i = 0; i < labels.size(); ++i)
      if (labels[i] < 0) fail<RangeError>("Dataset", "labels of at least 0", {labels[i], " for picture ", i});
    int const classes = labels.empty() ? 0 : *std::max_element(labels.begin(), labels.end()) + 1;
    if (pictures.count > std::numeric_limits<std::int32_t>::max())
      fail<ShapeError>("Dataset", "less than 2^31 pictures", pictures.count);
    std::vector<std::uint32_t> rows(static_cast<std::size_t>(pictures.count));
    std::iota(rows.begin(), rows.end(), 0U);
    store_ = std::make_shared<Store const>(Store{std::move(pictures), std::move(labels), classes});
    rows_ = std::make_shared<std::vector<std::uint32_t> const>(std::move(rows));
  }

  static void require_extents(std::size_t pixels, Shape const& shape) {
    // Division in place of a product, which might overflow.
    auto left = static_cast<Index>(pixels);
    bool fit = left >= 1;
    for (int axis = 0; axis < 4; ++axis) {
      fit = fit && shape[axis] >= 1 && shape[axis] <= std::numeric_limits<std::int32_t>::max() &&
            left % shape[axis] == 0;
      left = fit ? left / shape[axis] : 0;
    }
    if (left != 1)
      fail<ShapeError>("Dataset", "extents of at least 1 and as many pixels as they say",
                       {pixels, " pixels for ", shape});
  }

  [[nodiscard]] std::uint8_t const* in_memory(Index i) const {
    return store_->pictures.memory.data() + row(i) * static_cast<std::size_t>(image_size());
  }
  [[nodiscard]] std::size_t row(Index i) const { return (*rows_)[static_cast<std::size_t>(i)]; }
  [[nodiscard]] Dataset with_rows(std::vector<std::uint32_t> rows) const {
    Dataset result = *this;
    result.rows_ = std::make_shared<std::vector<std::uint32_t> const>(std::move(rows));
    return result;
  }

  std::shared_ptr<Store const> store_;
  std::shared_ptr<std::vector<std::uint32_t> const> rows_;
};

}  // namespace diffsiam::data
