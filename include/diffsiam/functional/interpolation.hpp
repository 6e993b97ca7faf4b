// Functors that interpolate between two values.
#pragma once

#include <diffsiam/config.hpp>

namespace diffsiam::functional {

/// x += weight (y - x). With weight 1, x becomes exactly y.
template <class T>
struct MoveTowards {
  T weight;
  DIFFSIAM_HOST_DEVICE void operator()(T& x, T const& y) const {
    x = weight == T(1) ? y : x + weight * (y - x);
  }
};
/// z = a x + b y.
struct WeightedSum {
  template <class T>
  DIFFSIAM_HOST_DEVICE void operator()(T& z, T const& x, T const& a, T const& y, T const& b) const {
    z = a * x + b * y;
  }
};

}  // namespace diffsiam::functional
