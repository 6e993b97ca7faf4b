// Lengths of rows whose squares may exceed the range of the scalar type. The sum of absolute values tells how
// large a row is. If its squares would overflow or underflow, the row is first scaled by a power of two,
// which is exact. All other rows are scaled by 1, so their bits are those of the plain formula.
#pragma once

#include <limits>

#include <diffsiam/functional/math.hpp>

namespace diffsiam::functional {

/// The term |x|.
struct Magnitude {
  template <class T>
  [[nodiscard]] DIFFSIAM_HOST_DEVICE T operator()(T const& x) const {
    return functional::abs(x);
  }
};

/// 2^exponent, if that is a normal number.
template <class T>
[[nodiscard]] constexpr T power_of_two(int exponent) {
  T result = T(1);
  for (int i = 0; i < exponent; ++i) result *= T(2);
  for (int i = 0; i > exponent; --i) result /= T(2);
  return result;
}

/// Replaces the sum of absolute values of a row by the factor for its values before they are squared. The
/// three cases overlap, so for rows of up to 2^16 values the squares stay in range.
template <class T>
struct LengthScale {
  /// The exponent of `large`, a third of the range of T
  static constexpr int third = std::numeric_limits<T>::max_exponent / 3;
  /// Sums that need `down` and `up` are beyond these
  static constexpr T large = power_of_two<T>(third), small = power_of_two<T>(-third);
  /// The factors, powers of two
  static constexpr T down = power_of_two<T>(-2 * third), up = power_of_two<T>(2 * third);
  DIFFSIAM_HOST_DEVICE void operator()(T& scale) const {
    scale = scale > T(large) ? T(down) : (scale < T(small) ? T(up) : T(1));
  }
};

/// The term (scale x)^2.
struct ScaledSquare {
  template <class T>
  [[nodiscard]] DIFFSIAM_HOST_DEVICE T operator()(T const& x, T const& scale) const {
    return (scale * x) * (scale * x);
  }
};

/// Replaces the sum of scaled squares by r = 1 / length. r is 0 for a row of zeros, and for a row shorter
/// than the smallest normal number, whose inverse may be infinite.
template <class T>
struct InverseLength {
  DIFFSIAM_HOST_DEVICE void operator()(T& square, T const& scale) const {
    T const length = functional::sqrt(square);
    square = length < scale * std::numeric_limits<T>::min() ? T(0) : scale / length;
  }
};

/// dx += r (dy - y inner), where inner = the sum of dy y: the gradient of y = x / |x|.
struct NormalizeGradient {
  template <class T>
  DIFFSIAM_HOST_DEVICE void operator()(T& dx, T const& dy, T const& y, T const& r, T const& inner) const {
    dx += r * (dy - y * inner);
  }
};

}  // namespace diffsiam::functional
