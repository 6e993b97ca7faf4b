// Errors of a prediction, each with its derivative, and their weighted sum.
#pragma once

#include <diffsiam/functional/math.hpp>

namespace diffsiam::functional {

/// e = d^2 of the difference d.
struct SquaredError {
  template <class T>
  [[nodiscard]] DIFFSIAM_HOST_DEVICE static T value(T d) {
    return d * d;
  }
  template <class T>
  [[nodiscard]] DIFFSIAM_HOST_DEVICE static T derivative(T d) {
    return T(2) * d;
  }
};
/// e = |d|; the derivative at 0 is 0.
struct AbsoluteError {
  template <class T>
  [[nodiscard]] DIFFSIAM_HOST_DEVICE static T value(T d) {
    return functional::abs(d);
  }
  template <class T>
  [[nodiscard]] DIFFSIAM_HOST_DEVICE static T derivative(T d) {
    return d > T(0) ? T(1) : (d < T(0) ? T(-1) : T(0));
  }
};

/// The term scale weight error(prediction - target).
/// `scale` is a constant of all terms.
template <class Error, class T>
struct WeightedError {
  T scale;
  [[nodiscard]] DIFFSIAM_HOST_DEVICE T operator()(T const& prediction, T const& target,
                                                  T const& weight) const {
    return scale * weight * Error::value(prediction - target);
  }
};
/// dp += scale dy weight error'(prediction - target).
template <class Error, class T>
struct WeightedErrorGradient {
  T scale;
  DIFFSIAM_HOST_DEVICE void operator()(T& dp, T const& dy, T const& prediction, T const& target,
                                       T const& weight) const {
    dp += scale * dy * weight * Error::derivative(prediction - target);
  }
};

}  // namespace diffsiam::functional
