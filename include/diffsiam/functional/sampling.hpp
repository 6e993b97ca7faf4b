// One hop of a sampler, per pixel.
#pragma once

#include <diffsiam/config.hpp>

namespace diffsiam::functional {

/// x_0 from x and eps at noise level (a, s) = (sqrt(abar), sqrt(1 - abar)), clipped to [-1, 1] where asked.
template <class T>
struct CleanImage {
  T a, s;
  bool clip;
  [[nodiscard]] DIFFSIAM_HOST_DEVICE T operator()(T const& x, T const& eps) const {
    T const x_0 = (x - s * eps) / a;
    if (!clip) return x_0;
    return x_0 < T(-1) ? T(-1) : (x_0 > T(1) ? T(1) : x_0);
  }
};

/// x becomes a_to x_0 + direction eps', with eps' recomputed from the clipped x_0 (Song et al., 2021, eq.
/// 12).
template <class T>
struct DdimHop {
  CleanImage<T> clean;
  T a_to, direction;
  DIFFSIAM_HOST_DEVICE void operator()(T& x, T const& eps) const {
    T const x_0 = clean(x, eps);
    T const eps_again = clean.s > T(0) ? (x - clean.a * x_0) / clean.s : eps;
    x = a_to * x_0 + direction * eps_again;
  }
};

/// x becomes the posterior mean c_0 x_0 + c_t x (Ho et al., 2020, eq. 7).
template <class T>
struct PosteriorMean {
  CleanImage<T> clean;
  T c_0, c_t;
  DIFFSIAM_HOST_DEVICE void operator()(T& x, T const& eps) const { x = c_0 * clean(x, eps) + c_t * x; }
};

}  // namespace diffsiam::functional
