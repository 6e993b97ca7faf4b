// Functors on time-steps: they read tables by time-step and draw time-steps. The tables are in the memory of
// the backend.
#pragma once

#include <cstdint>

#include <diffsiam/config.hpp>

namespace diffsiam::functional {

/// y = table[t].
template <class T>
struct Lookup {
  T const* table;
  DIFFSIAM_HOST_DEVICE void operator()(T& y, T const& t) const { y = table[static_cast<std::int64_t>(t)]; }
};

/// y = 1 if begins[subset] <= column < ends[subset] for subset = floor(t subsets / timesteps), else 0.
template <class T>
struct ColumnsOfSubset {
  T const* begins;
  T const* ends;
  std::int64_t subsets, timesteps;
  DIFFSIAM_HOST_DEVICE void operator()(T& y, T const& t, T const& column) const {
    std::int64_t const subset = static_cast<std::int64_t>(t) * subsets / timesteps;
    y = column >= begins[subset] && column < ends[subset] ? T(1) : T(0);
  }
};

/// t = floor(t timesteps), for a draw t in [0, 1).
template <class T>
struct UniformStep {
  T timesteps;
  DIFFSIAM_HOST_DEVICE void operator()(T& t) const {
    t = static_cast<T>(static_cast<std::int64_t>(t * timesteps));
  }
};

}  // namespace diffsiam::functional
