// Mirrored: the pictures of a data set, each mirrored from left to right when it is read.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include <diffsiam/core/shape.hpp>
#include <diffsiam/data/dataset.hpp>
#include <diffsiam/data/geometry.hpp>

namespace diffsiam::data {

/// A PictureSource: data::Dataset{data::Mirrored{pictures}} has their order and labels. read() throws what
/// the pictures' own throws.
struct Mirrored {
  Dataset pictures;  ///< as they are

  [[nodiscard]] Index size() const { return pictures.size(); }
  [[nodiscard]] ImageExtent extent() const { return pictures.extent(); }
  void read(Index i, std::span<std::uint8_t> out) const {
    pictures.read(i, out);
    detail::flip_rows(out.data(), extent());
  }
  /// Those of the pictures; empty when unlabelled.
  [[nodiscard]] std::vector<int> labels() const { return pictures.labels(); }
};

}  // namespace diffsiam::data
