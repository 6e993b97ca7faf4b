// Winograd's minimal filtering F(4x4, 3x3) (Lavin and Gray, 2016, arXiv 1509.09308): it computes sixteen
// outputs of a 3x3 kernel with 36 products instead of 144. The transforms are one-dimensional and are applied
// to columns and then to rows. They evaluate polynomials at 0, +-3/4, +-3/2 and infinity. With these points
// the rounding error is close to that of the direct sum; with the usual 0, +-1, +-2 it is four times as
// large.
#pragma once

#include <diffsiam/backend/cpu/tile.hpp>

namespace diffsiam::backend::cpu::winograd {

inline constexpr Index outputs = 4;  ///< of a tile, along each side
inline constexpr Index points = 6;   ///< of a transformed tile, along each side
inline constexpr Index positions = points * points;

template <class T>
using Lanes = typename Vector<T>::Type;

/// The two positive points, their squares and cubes, and the constants of the transforms.
template <class T>
struct Points {
  static constexpr T a = T(0.75), b = T(1.5);
  static constexpr T a2 = a * a, b2 = b * b, a3 = a2 * a, b3 = b2 * b;
  static constexpr T product = a2 * b2, sum = a2 + b2;
  static constexpr T at_zero = 1 / product, at_a = 1 / (2 * a2 * (a2 - b2)), at_b = 1 / (2 * b2 * (b2 - a2));
};

/// Six pixels -> their transform.
struct ImageTransform {
  static constexpr int from = 6, to = 6;
  template <class T>
  DIFFSIAM_ALWAYS_INLINE static void apply(Lanes<T> const (&d)[6], Lanes<T> (&v)[6]) {
    using P = Points<T>;
    using V = Lanes<T>;
    V const even_a = d[4] - P::b2 * d[2], odd_a = d[3] - P::b2 * d[1];
    V const even_b = d[4] - P::a2 * d[2], odd_b = d[3] - P::a2 * d[1];
    v[0] = P::product * d[0] - P::sum * d[2] + d[4];
    v[1] = even_a + P::a * odd_a;
    v[2] = even_a - P::a * odd_a;
    v[3] = even_b + P::b * odd_b;
    v[4] = even_b - P::b * odd_b;
    v[5] = P::product * d[1] - P::sum * d[3] + d[5];
  }
};

/// Three weights of a kernel -> their transform.
struct KernelTransform {
  static constexpr int from = 3, to = 6;
  template <class T>
  DIFFSIAM_ALWAYS_INLINE static void apply(Lanes<T> const (&w)[3], Lanes<T> (&u)[6]) {
    using P = Points<T>;
    using V = Lanes<T>;
    V const even_a = P::at_a * (w[0] + P::a2 * w[2]), odd_a = (P::at_a * P::a) * w[1];
    V const even_b = P::at_b * (w[0] + P::b2 * w[2]), odd_b = (P::at_b * P::b) * w[1];
    u[0] = P::at_zero * w[0];
    u[1] = even_a + odd_a;
    u[2] = even_a - odd_a;
    u[3] = even_b + odd_b;
    u[4] = even_b - odd_b;
    u[5] = w[2];
  }
};

/// Six products -> four outputs.
struct OutputTransform {
  static constexpr int from = 6, to = 4;
  template <class T>
  DIFFSIAM_ALWAYS_INLINE static void apply(Lanes<T> const (&m)[6], Lanes<T> (&y)[4]) {
    using P = Points<T>;
    using V = Lanes<T>;
    V const even_a = m[1] + m[2], odd_a = m[1] - m[2], even_b = m[3] + m[4], odd_b = m[3] - m[4];
    y[0] = m[0] + even_a + even_b;
    y[1] = P::a * odd_a + P::b * odd_b;
    y[2] = P::a2 * even_a + P::b2 * even_b;
    y[3] = P::a3 * odd_a + P::b3 * odd_b + m[5];
  }
};

/// The transpose of OutputTransform: gradients of four outputs -> gradients of six products.
struct OutputGradientTransform {
  static constexpr int from = 4, to = 6;
  template <class T>
  DIFFSIAM_ALWAYS_INLINE static void apply(Lanes<T> const (&y)[4], Lanes<T> (&m)[6]) {
    using P = Points<T>;
    using V = Lanes<T>;
    V const even_a = y[0] + P::a2 * y[2], odd_a = P::a * y[1] + P::a3 * y[3];
    V const even_b = y[0] + P::b2 * y[2], odd_b = P::b * y[1] + P::b3 * y[3];
    m[0] = y[0];
    m[1] = even_a + odd_a;
    m[2] = even_a - odd_a;
    m[3] = even_b + odd_b;
    m[4] = even_b - odd_b;
    m[5] = y[3];
  }
};

/// The transpose of KernelTransform: gradients of the transform -> gradients of three weights.
struct KernelGradientTransform {
  static constexpr int from = 6, to = 3;
  template <class T>
  DIFFSIAM_ALWAYS_INLINE static void apply(Lanes<T> const (&u)[6], Lanes<T> (&w)[3]) {
    using P = Points<T>;
    using V = Lanes<T>;
    V const even_a = P::at_a * (u[1] + u[2]), even_b = P::at_b * (u[3] + u[4]);
    w[0] = P::at_zero * u[0] + even_a + even_b;
    w[1] = (P::at_a * P::a) * (u[1] - u[2]) + (P::at_b * P::b) * (u[3] - u[4]);
    w[2] = P::a2 * even_a + P::b2 * even_b + u[5];
  }
};

/// Transforms a tile in two dimensions: load(row, column) returns a vector, store(row, column, vector) takes
/// one.
template <class T, class Transform, class Load, class Store>
DIFFSIAM_ALWAYS_INLINE void transform(Load const& load, Store const& store) {
  using V = typename Vector<T>::Type;
  constexpr int from = Transform::from, to = Transform::to;
  V half[from][to];  // by column, then by row of the result
  for (int column = 0; column < from; ++column) {
    V in[from];
    DIFFSIAM_UNROLL
    for (int row = 0; row < from; ++row) in[row] = load(row, column);
    Transform::template apply<T>(in, half[column]);
  }
  for (int row = 0; row < to; ++row) {
    V in[from], out[to];
    DIFFSIAM_UNROLL
    for (int column = 0; column < from; ++column) in[column] = half[column][row];
    Transform::template apply<T>(in, out);
    DIFFSIAM_UNROLL
    for (int column = 0; column < to; ++column) store(row, column, out[column]);
  }
}

}  // namespace diffsiam::backend::cpu::winograd
