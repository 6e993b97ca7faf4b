// FittedPictures: the pictures of a data set, cut or padded and resized when they are read.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include <diffsiam/data/dataset.hpp>
#include <diffsiam/data/fit.hpp>
#include <diffsiam/io/picture.hpp>

namespace diffsiam::data {

/// A PictureSource with the labels of the set:
///     Dataset const small{FittedPictures{stl10, {.height = 32, .width = 32}}};
class FittedPictures {
 public:
  /// Throws ConfigError for a size that FitConfig refuses, ShapeError unless the pictures have 1 or 3
  /// channels.
  FittedPictures(Dataset pictures, FitConfig const& fit) : pictures_(std::move(pictures)), fit_(fit) {
    require_fit(fit_);
    if (pictures_.channels() != 1 && pictures_.channels() != 3)
      fail<ShapeError>("FittedPictures", "pictures of 1 or 3 channels", pictures_.shape());
  }

  [[nodiscard]] Index size() const { return pictures_.size(); }
  [[nodiscard]] ImageExtent extent() const { return fit_.extent(); }
  [[nodiscard]] std::vector<int> labels() const { return pictures_.labels(); }
  void read(Index i, std::span<std::uint8_t> out) const {
    ImageExtent const extent = pictures_.extent();
    fit_picture({.height = extent.height,
                 .width = extent.width,
                 .channels = extent.channels,
                 .pixels = pictures_.pixels(i)},
                fit_, out);
  }

 private:
  Dataset pictures_;
  FitConfig fit_;
};

}  // namespace diffsiam::data
