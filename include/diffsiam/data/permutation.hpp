// Shuffles that depend only on a random stream: the method of Fisher and Yates with Philox numbers.
#pragma once

#include <cstdint>
#include <numeric>
#include <span>
#include <utility>

#include <diffsiam/core/philox.hpp>

namespace diffsiam::data {

/// The random streams of data/. They are different, so that no two purposes use the same numbers.
inline constexpr std::uint32_t shuffle_stream = 0xDA7A0001U;
inline constexpr std::uint32_t split_stream = 0xDA7A0002U;    ///< of Dataset::split
inline constexpr std::uint32_t flip_stream = 0xDA7A0003U;     ///< of LoaderConfig::flip
inline constexpr std::uint32_t partner_stream = 0xDA7A0004U;  ///< of Partners
inline constexpr std::uint32_t view_stream = 0xDA7A0100U;     ///< view v draws from view_stream + v

/// Overwrites `order` with a permutation of 0 .. size-1. All permutations have the same probability.
inline void fill_permutation(std::span<std::uint32_t> order, Rng const& rng) {
  std::iota(order.begin(), order.end(), 0U);
  for (std::size_t i = order.size(); i > 1; --i)
    std::swap(order[i - 1], order[rng.below(static_cast<std::uint32_t>(i), i)]);
}

}  // namespace diffsiam::data
