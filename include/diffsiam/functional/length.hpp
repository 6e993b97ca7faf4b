// Lengths of rows whose squares may leave the range of the scalar. The sum of magnitudes tells how large a
// row is; where squares would overflow or vanish it is scaled by a power of two first, which rounds nothing.
// Other rows are scaled by 1, so their bits are those of the plain formula.
#pragma once

#include <limits>

#include <diffsiam/functional/math.hpp>

namespace diffsiam::functional {

/// Summand |x|.
struct Magnitude {
  template <class T>
  [[nodiscard]] DIFFSIAM_HOST_DEVICE T operator()(T const& x) const {
    return functional::abs(x);
  }
};

/// 2^exponent, for exponents of normal numbers.
template <class T>
[[nodiscard]] constexpr T power_of_two(int exponent) {
  T result = T(1);
  for (int i = 0; i < exponent; ++i) result *= T(2);
  for (int i = 0; i > exponent; --i) result /= T(2);
  return result;
}

/// Replaces a row's sum of magnitudes by what its values are multiplied by before they are squared. The three
/// cases overlap: squares of what is left alone, or scaled, stay within the range for rows of up to 2^16.
template <class T>
struct LengthScale {
  static constexpr int third = std::numeric_limits<T>::max_exponent / 3;
  static constexpr T large = power_of_two<T>(third), small = power_of_two<T>(-third);
  static constexpr T down = power_of_two<T>(-2 * third), up = power_of_two<T>(2 * third);
  DIFFSIAM_HOST_DEVICE void operator()(T& scale) const {
    scale = scale > T(large) ? T(down) : (scale < T(small) ? T(up) : T(1));
  }
};

/// Summand (scale x)^2.
struct ScaledSquare {
  template <class T>
  [[nodiscard]] DIFFSIAM_HOST_DEVICE T operator()(T const& x, T const& scale) const {
    return (scale * x) * (scale * x);
  }
};

/// Replaces the sum of scaled squares by r = 1 / length. A row of zeros has r = 0, and so has one that is
/// shorter than the smallest normal number, whose inverse may not be a number.
template <class T>
struct InverseLength {
  DIFFSIAM_HOST_DEVICE void operator()(T& square, T const& scale) const {
    T const length = functional::sqrt(square);
    square = length < scale * std::numeric_limits<T>::min() ? T(0) : scale / length;
  }
};

/// dx += r (dy - y inner), with inner = sum of dy y: through a division by the length.
struct NormalizeGradient {
  template <class T>
  DIFFSIAM_HOST_DEVICE void operator()(T& dx, T const& dy, T const& y, T const& r, T const& inner) const {
    dx += r * (dy - y * inner);
  }
};

}  // namespace diffsiam::functional
