// Dataset: pictures and labels in memory. A handle: copies, subsets and splits share the pixels.
#pragma once

#include <algorithm>
#include <cstdint>
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
    require_extents(images);
    if (!labels.empty() && static_cast<Index>(labels.size()) != images.count)
      fail<ShapeError>("Dataset", std::to_string(images.count) + " labels, one for each picture",
                       labels.size());
    for (std::size_t i = 0; i < labels.size(); ++i)
      if (labels[i] < 0)
        fail<RangeError>("Dataset", "labels of at least 0",
                         std::to_string(labels[i]) + " for picture " + std::to_string(i));
    int const classes = labels.empty() ? 0 : *std::max_element(labels.begin(), labels.end()) + 1;
    std::vector<std::uint32_t> rows(static_cast<std::size_t>(images.count));
    std::iota(rows.begin(), rows.end(), 0U);
    store_ = std::make_shared<Store const>(Store{std::move(images), std::move(labels), classes});
    rows_ = std::make_shared<std::vector<std::uint32_t> const>(std::move(rows));
  }

  /// A copy of pictures in memory: `pixels` of `shape` (n, h, w, c), 0..255. Throws as the constructor does.
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

  [[nodiscard]] Index size() const { return rows_ ? static_cast<Index>(rows_->size()) : 0; }
  [[nodiscard]] Index height() const { return store_ ? store_->images.height : 0; }
  [[nodiscard]] Index width() const { return store_ ? store_->images.width : 0; }
  [[nodiscard]] Index channels() const { return store_ ? store_->images.channels : 0; }
  /// (n, h, w, c).
  [[nodiscard]] Shape shape() const { return {size(), height(), width(), channels()}; }
  /// Values in one picture.
  [[nodiscard]] Index image_size() const { return height() * width() * channels(); }
  [[nodiscard]] bool labelled() const { return store_ && !store_->labels.empty(); }
  /// Greatest label + 1 over all pictures that this set was cut from; 0 when unlabelled.
  [[nodiscard]] int classes() const { return store_ ? store_->classes : 0; }

  /// Pixels of picture i, (h, w, c). i in [0, size()).
  [[nodiscard]] std::span<std::uint8_t const> pixels(Index i) const& {
    auto const each = static_cast<std::size_t>(image_size());
    return std::span(store_->images.pixels).subspan(row(i) * each, each);
  }
  void pixels(Index i) const&& = delete;
  /// Label of picture i; only of a labelled set.
  [[nodiscard]] int label(Index i) const { return store_->labels[row(i)]; }
  /// Writes picture i as floats in [-1, 1]; `out` has image_size() values.
  void to_unit(Index i, std::span<float> out) const {
    std::span<std::uint8_t const> const source = pixels(i);
    std::transform(source.begin(), source.end(), out.begin(), unit_from_pixel);
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
  struct Store {
    ImageSet images;
    std::vector<int> labels;
    int classes;
  };

  static void require_extents(ImageSet const& images) {
    // Division in place of a product, which might overflow.
    auto left = static_cast<Index>(images.pixels.size());
    bool fit = left >= 1 && images.count <= std::numeric_limits<std::int32_t>::max();
    for (Index const extent : {images.count, images.height, images.width, images.channels}) {
      fit = fit && extent >= 1 && left % extent == 0;
      left = fit ? left / extent : 0;
    }
    if (left != 1)
      fail<ShapeError>("Dataset", "extents of at least 1 and as many pixels as they say",
                       std::to_string(images.pixels.size()) + " pixels for (" + std::to_string(images.count) +
                           ", " + std::to_string(images.height) + ", " + std::to_string(images.width) + ", " +
                           std::to_string(images.channels) + ")");
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
