// exp, log, sin and cos for float. They have no branches and use only multiplications, additions and bit
// operations, so that g++ vectorises loops over them and every target gives the same bits. For other types
// the standard library is used.
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>

#include <diffsiam/config.hpp>

namespace diffsiam::functional {

/// a * b + c, as one fused operation if the target has a fast one.
[[nodiscard]] DIFFSIAM_HOST_DEVICE inline float multiply_add(float a, float b, float c) {
#if DIFFSIAM_HAS_FAST_FMA
  return std::fma(a, b, c);
#else
  return a * b + c;
#endif
}

/// e^x = fraction 2^exponent, for |x| <= 104.
struct ExpParts {
  float fraction;
  std::int32_t exponent;
};
/// For |x| <= 104; the argument is not checked.
[[nodiscard]] DIFFSIAM_HOST_DEVICE inline ExpParts exp_parts(float x) {
  // x = n ln 2 + r with |r| <= ln 2 / 2. Adding the constant rounds to an integer.
  float const shifted = multiply_add(x, 1.44269504F, 12582912.0F);
  float const n = shifted - 12582912.0F;
  float r = multiply_add(n, -0.693359375F, x);
  r = multiply_add(n, 2.12194440e-4F, r);
  float p = 1.9875691500e-4F;
  p = multiply_add(p, r, 1.3981999507e-3F);
  p = multiply_add(p, r, 8.3334519073e-3F);
  p = multiply_add(p, r, 4.1665795894e-2F);
  p = multiply_add(p, r, 1.6666665459e-1F);
  p = multiply_add(p, r, 5.0000001201e-1F);
  p = multiply_add(p, r * r, r) + 1.0F;
  return {p, std::bit_cast<std::int32_t>(shifted) - std::bit_cast<std::int32_t>(12582912.0F)};
}

/// e^x within 2 ulp if the result is a normal number. Smaller results are 0, larger ones infinite, and NaN
/// stays NaN.
[[nodiscard]] DIFFSIAM_HOST_DEVICE inline float exp(float x) {
  ExpParts const parts = exp_parts(x < -104.0F ? -104.0F : (x > 89.0F ? 89.0F : x));
  // 2^n is built from exponent bits, in two halves so that neither exceeds the range.
  std::int32_t const half = parts.exponent >> 1;
  float const scale_1 = std::bit_cast<float>((half + 127) << 23);
  float const scale_2 = std::bit_cast<float>((parts.exponent - half + 127) << 23);
  float const result = parts.fraction * scale_1 * scale_2;
  float const low = x < -87.33654F ? 0.0F : result;
  float const high = x > 88.72283F ? std::numeric_limits<float>::infinity() : low;
  return x != x ? x : high;
}

/// 1 / (1 + e^-x) for |x| <= 80, where exp needs no special cases. Activations use it, because it is fast.
[[nodiscard]] DIFFSIAM_HOST_DEVICE inline float bounded_sigmoid(float x) {
  ExpParts const parts = exp_parts(-x);
  return 1.0F / (1.0F + parts.fraction * std::bit_cast<float>((parts.exponent + 127) << 23));
}

/// ln x within 2 ulp for normal x > 0; -infinity at 0, NaN for x < 0.
[[nodiscard]] DIFFSIAM_HOST_DEVICE inline float log(float x) {
  std::uint32_t const bits = std::bit_cast<std::uint32_t>(x);
  // x = 2^e m with m in [sqrt(1/2), sqrt(2)).
  std::uint32_t const offset = bits - 0x3F3504F3u;
  float const e = static_cast<float>(static_cast<std::int32_t>(offset) >> 23);
  float const m = std::bit_cast<float>((offset & 0x007FFFFFu) + 0x3F3504F3u) - 1.0F;
  float const m2 = m * m;
  float p = 7.0376836292e-2F;
  p = multiply_add(p, m, -1.1514610310e-1F);
  p = multiply_add(p, m, 1.1676998740e-1F);
  p = multiply_add(p, m, -1.2420140846e-1F);
  p = multiply_add(p, m, 1.4249322787e-1F);
  p = multiply_add(p, m, -1.6668057665e-1F);
  p = multiply_add(p, m, 2.0000714765e-1F);
  p = multiply_add(p, m, -2.4999993993e-1F);
  p = multiply_add(p, m, 3.3333331174e-1F);
  float y = m * m2 * p;
  y = multiply_add(e, -2.12194440e-4F, y);
  y = multiply_add(m2, -0.5F, y);
  float const result = multiply_add(e, 0.693359375F, m + y);
  float const positive = x > 0.0F ? result : std::numeric_limits<float>::quiet_NaN();
  float const finite = x == std::numeric_limits<float>::infinity() ? x : positive;
  return x == 0.0F ? -std::numeric_limits<float>::infinity() : finite;
}

/// `cos` and `sin` of 2 pi u for u in [0, 1], with an absolute error below 1.5e-7.
struct CosSin {
  float cos, sin;
};
/// For u in [0, 1]; the argument is not checked.
[[nodiscard]] DIFFSIAM_HOST_DEVICE inline CosSin cos_sin_turns(float u) {
  // In quarter turns: 2 pi u = q pi/2 + a with |a| <= pi/4. This is exact up to the product with 2 pi.
  float const shifted = multiply_add(u, 4.0F, 12582912.0F);
  auto const quarter = static_cast<std::uint32_t>(std::bit_cast<std::int32_t>(shifted));
  float const a = multiply_add(shifted - 12582912.0F, -0.25F, u) * 6.28318531F;
  float const a2 = a * a;
  float s = -1.9515295891e-4F;
  s = multiply_add(s, a2, 8.3321608736e-3F);
  s = multiply_add(s, a2, -1.6666654611e-1F);
  s = multiply_add(s * a2, a, a);
  float c = 2.443315711809948e-5F;
  c = multiply_add(c, a2, -1.388731625493765e-3F);
  c = multiply_add(c, a2, 4.166664568298827e-2F);
  c = multiply_add(c * a2, a2, multiply_add(a2, -0.5F, 1.0F));
  bool const swap = (quarter & 1u) != 0;
  float const cos_value = swap ? s : c;
  float const sin_value = swap ? c : s;
  bool const cos_negative = ((quarter + 1u) & 2u) != 0;
  bool const sin_negative = (quarter & 2u) != 0;
  return {cos_negative ? -cos_value : cos_value, sin_negative ? -sin_value : sin_value};
}

template <class T>
[[nodiscard]] DIFFSIAM_HOST_DEVICE T exp(T x) {
  using std::exp;
  return exp(x);
}
template <class T>
[[nodiscard]] DIFFSIAM_HOST_DEVICE T log(T x) {
  using std::log;
  return log(x);
}
/// As std::sqrt has it.
template <class T>
[[nodiscard]] DIFFSIAM_HOST_DEVICE T sqrt(T x) {
  using std::sqrt;
  return sqrt(x);
}
/// As std::pow has it.
template <class T>
[[nodiscard]] DIFFSIAM_HOST_DEVICE T pow(T x, T exponent) {
  using std::pow;
  return pow(x, exponent);
}
/// |x|; NaN stays NaN.
template <class T>
[[nodiscard]] DIFFSIAM_HOST_DEVICE T abs(T x) {
  return x < T(0) ? -x : x;
}
/// The larger of two; a where one is NaN.
template <class T>
[[nodiscard]] DIFFSIAM_HOST_DEVICE T max(T a, T b) {
  return b > a ? b : a;
}

/// 1 / (1 + e^-x).
template <class T>
[[nodiscard]] DIFFSIAM_HOST_DEVICE T sigmoid(T x) {
  return T(1) / (T(1) + functional::exp(-x));
}
template <class T>
[[nodiscard]] DIFFSIAM_HOST_DEVICE T bounded_sigmoid(T x) {
  return sigmoid(x);
}
/// ln(1 + e^x), without overflow.
template <class T>
[[nodiscard]] DIFFSIAM_HOST_DEVICE T softplus(T x) {
  return functional::max(x, T(0)) + functional::log(T(1) + functional::exp(-functional::abs(x)));
}

}  // namespace diffsiam::functional
