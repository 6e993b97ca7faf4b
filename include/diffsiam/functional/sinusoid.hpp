// The cosines and sines of a time embedding.
#pragma once

#include <cmath>

#include <diffsiam/config.hpp>

namespace diffsiam::functional {

/// (cos, sin) of t max_period^(-i / half). The angle is computed in double, because t may be large and
/// rounding errors would be visible.
/// `log_period` = ln max_period; `half` = half the width of the embedding.
struct SinusoidPair {
  double log_period, half;
  template <class T>
  DIFFSIAM_HOST_DEVICE void operator()(T& c, T& s, T const& t, T const& i) const {
    double const angle = static_cast<double>(t) * std::exp(-log_period * static_cast<double>(i) / half);
    c = static_cast<T>(std::cos(angle));
    s = static_cast<T>(std::sin(angle));
  }
};

}  // namespace diffsiam::functional
