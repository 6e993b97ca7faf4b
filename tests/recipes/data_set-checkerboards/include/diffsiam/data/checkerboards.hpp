// Checkerboards: pictures of one channel whose label is the side of a square, for tests and demonstrations.
#pragma once

#include <vector>

#include <diffsiam/core/error.hpp>
#include <diffsiam/core/philox.hpp>
#include <diffsiam/data/dataset.hpp>

namespace diffsiam::data {

/// `count` pictures (side, side, 1): squares of 1 to 4 pixels, shifted at random; label = size of a square
/// - 1. Throws RangeError for less than one picture or pixel.
[[nodiscard]] inline Dataset checkerboards(Index count, Index side, Rng const& rng) {
  if (count < 1 || side < 1)
    fail<RangeError>("checkerboards", "1 picture and 1 pixel or more", {count, " and ", side});
  ImageSet images{.count = count, .height = side, .width = side, .channels = 1};
  std::vector<int> labels;
  for (Index i = 0; i < count; ++i) {
    auto const draw = static_cast<std::uint64_t>(2 * i);
    auto const square = static_cast<Index>(1 + rng.below(4, draw)),
               shift = static_cast<Index>(rng.below(8, draw + 1));
    labels.push_back(static_cast<int>(square) - 1);
    for (Index y = 0; y < side; ++y)
      for (Index x = 0; x < side; ++x)
        images.pixels.push_back(((x + shift) / square + y / square) % 2 == 0 ? 255 : 0);
  }
  return Dataset{std::move(images), std::move(labels)};
}

}  // namespace diffsiam::data
