// Reading tables by time-step, where the table lies beside the data.
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

/// y = 1 where the column lies between the entries of the two tables for subset floor(t k/T), else 0.
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

/// t = floor(draw * timesteps) for a draw in [0, 1).
template <class T>
struct UniformStep {
  T timesteps;
  DIFFSIAM_HOST_DEVICE void operator()(T& t) const {
    t = static_cast<T>(static_cast<std::int64_t>(t * timesteps));
  }
};

}  // namespace diffsiam::functional
