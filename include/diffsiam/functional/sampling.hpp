// One step of a sampler for each pixel, at noise level (a, s) = (sqrt(abar), sqrt(1 - abar)).
#pragma once

#include <diffsiam/config.hpp>
#include <diffsiam/functional/prediction_target.hpp>

namespace diffsiam::functional {

/// x_0 clipped to [-1, 1].
template <class T>
[[nodiscard]] DIFFSIAM_HOST_DEVICE T clipped_to_image(T const& x_0) {
  return x_0 < T(-1) ? T(-1) : (x_0 > T(1) ? T(1) : x_0);
}

/// x_0 from x and eps, clipped to [-1, 1] if `clip` is set; a > 0.
/// `a` = sqrt(abar) and `s` = sqrt(1 - abar).
template <class T>
struct CleanImage {
  T a, s;
  bool clip;
  [[nodiscard]] DIFFSIAM_HOST_DEVICE T operator()(T const& x, T const& eps) const {
    T const x_0 = (x - s * eps) / a;
    if (!clip) return x_0;
    return clipped_to_image(x_0);
  }
};

/// x becomes a_to x_0 + direction eps', where eps' is recomputed from the clipped x_0 (Song et al., 2021, eq.
/// 12).
/// `clean` gives x_0 at the level of x, `a_to` = sqrt(abar) of the next level, and `direction` is the factor
/// of eps'.
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

/// CleanImage for any prediction target. x_0 and eps are each computed directly from the prediction, because
/// converting one to the other and back loses all digits if a or s is tiny.
/// `target` is what the prediction is; `a` = sqrt(abar) and `s` = sqrt(1 - abar); x_0 is clipped to [-1, 1]
/// if `clip` is set.
template <class T>
struct DirectImage {
  PredictionTarget target;
  T a, s;
  bool clip;
  /// x_0 before clipping.
  [[nodiscard]] DIFFSIAM_HOST_DEVICE T x_0(T const& x, T const& prediction) const {
    if (target == PredictionTarget::eps) return (x - s * prediction) / a;
    return target == PredictionTarget::v ? a * x - s * prediction : prediction;
  }
  /// eps. If the target is x_0, s must be greater than 0.
  [[nodiscard]] DIFFSIAM_HOST_DEVICE T eps(T const& x, T const& prediction) const {
    if (target == PredictionTarget::eps) return prediction;
    return target == PredictionTarget::v ? s * x + a * prediction : (x - a * prediction) / s;
  }
  [[nodiscard]] DIFFSIAM_HOST_DEVICE T operator()(T const& x, T const& prediction) const {
    return clip ? clipped_to_image(x_0(x, prediction)) : x_0(x, prediction);
  }
};

/// DdimHop for any prediction target. eps' is recomputed only if clipping changed x_0, because it loses
/// digits if s is tiny.
/// `clean` gives x_0 at the level of x, `a_to` = sqrt(abar) of the next level, and `direction` is the factor
/// of eps'.
template <class T>
struct DirectHop {
  DirectImage<T> clean;
  T a_to, direction;
  DIFFSIAM_HOST_DEVICE void operator()(T& x, T const& prediction) const {
    T const x_0 = clean(x, prediction);
    bool const moved = x_0 != clean.x_0(x, prediction) && clean.s > T(0);
    T const eps = moved ? (x - clean.a * x_0) / clean.s : clean.eps(x, prediction);
    x = a_to * x_0 + direction * eps;
  }
};

/// x becomes the posterior mean c_0 x_0 + c_t x (Ho et al., 2020, eq. 7).
/// `clean` gives x_0 from x and the prediction.
template <class T, class Clean = CleanImage<T>>
struct PosteriorMean {
  Clean clean;
  T c_0, c_t;  ///< the weights of x_0 and of x_t
  DIFFSIAM_HOST_DEVICE void operator()(T& x, T const& prediction) const {
    x = c_0 * clean(x, prediction) + c_t * x;
  }
};

}  // namespace diffsiam::functional
