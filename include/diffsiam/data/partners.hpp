// Partners: pictures that can replace each other, such as nearest neighbours by the features of a model. A
// siamese loss that compares a picture with a partner learns what they have in common, beyond what
// augmentations keep (Dwibedi et al., NNCLR, arXiv 2104.14548).
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include <diffsiam/core/error.hpp>
#include <diffsiam/core/philox.hpp>
#include <diffsiam/core/shape.hpp>
#include <diffsiam/core/text.hpp>
#include <diffsiam/data/permutation.hpp>

namespace diffsiam::data {

/// The partners of each picture of a set, by position in the set. A handle: copies share the table.
class Partners {
 public:
  /// `positions` are (pictures, each). Throws ShapeError unless there is a complete row for at least one
  /// picture, RangeError for a position outside [0, pictures).
  Partners(std::vector<Index> positions, Index each) : each_(each) {
    auto const size = static_cast<Index>(positions.size());
    if (each < 1 || size < 1 || size % each != 0)
      fail<ShapeError>("Partners", "positions (pictures, each) of at least (1, 1)",
                       {size, " positions, ", each, " each"});
    for (Index i = 0; i < size; ++i)
      if (Index const at = positions[static_cast<std::size_t>(i)]; at < 0 || at >= size / each)
        fail<RangeError>("Partners", {"positions in [0, ", size / each, ")"},
                         {at, " for picture ", i / each});
    positions_ = std::make_shared<std::vector<Index> const>(std::move(positions));
  }

  /// How many pictures have partners.
  [[nodiscard]] Index pictures() const { return static_cast<Index>(positions_->size()) / each_; }
  /// How many partners each picture has.
  [[nodiscard]] Index each() const { return each_; }
  /// The partners of picture i in [0, pictures()).
  [[nodiscard]] std::span<Index const> of(Index i) const& {
    return std::span(*positions_)
        .subspan(static_cast<std::size_t>(i * each_), static_cast<std::size_t>(each_));
  }
  void of(Index i) const&& = delete;
  /// One of the partners; all have the same probability. `step` must differ between pictures and epochs.
  [[nodiscard]] Index draw(Index i, std::uint64_t seed, std::uint64_t step) const {
    Rng const rng{.seed = seed, .stream = partner_stream, .step = step};
    return of(i)[rng.below(static_cast<std::uint32_t>(each_), 0)];
  }

 private:
  std::shared_ptr<std::vector<Index> const> positions_;
  Index each_;
};

}  // namespace diffsiam::data
