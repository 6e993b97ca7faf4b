// nearest_partners: for each picture its nearest neighbours, by features, among the other pictures.
#pragma once

#include <vector>

#include <diffsiam/data/partners.hpp>
#include <diffsiam/eval/nearest.hpp>

namespace diffsiam::eval {

/// The `each` nearest pictures by cosine similarity, without the picture itself. Row i of `features` belongs
/// to picture i. Throws ShapeError and NumericError as require_features, RangeError for `each` outside
/// [1, count). `pool` may be null.
[[nodiscard]] inline data::Partners nearest_partners(Features const& features, Index each,
                                                     ThreadPool* pool = nullptr) {
  require_features("nearest_partners", features);
  if (each < 1 || each >= features.count)
    fail<RangeError>("nearest_partners", {"each in [1, ", features.count, "), as many others as there are"},
                     each);
  // One more than needed, because the picture itself is among them, unless equal pictures replace it.
  Neighbours const near = nearest_neighbours(features, features, each + 1, pool);
  std::vector<Index> positions;
  positions.reserve(static_cast<std::size_t>(features.count * each));
  for (Index i = 0; i < features.count; ++i) {
    Index left = each;
    for (Neighbour const& neighbour : near.of(i))
      if (neighbour.index != i && left-- > 0) positions.push_back(neighbour.index);
  }
  return {std::move(positions), each};
}

}  // namespace diffsiam::eval
