// The arithmetic of element-wise operations and reductions. A functor of an element-wise operation takes its
// outputs first, by reference, and then its inputs. A functor of a reduction returns one term of the sum.
#pragma once

#include <diffsiam/config.hpp>

namespace diffsiam::functional {

/// y = x.
struct Copy {
  template <class T>
  DIFFSIAM_HOST_DEVICE void operator()(T& y, T const& x) const {
    y = x;
  }
};
/// y += x, for gradients. For the first gradient, overwriting() is used instead.
struct Accumulate {
  template <class T>
  DIFFSIAM_HOST_DEVICE void operator()(T& y, T const& x) const {
    y += x;
  }
  [[nodiscard]] static Copy overwriting() { return {}; }
};
/// y = scale x.
template <class T>
struct Scale {
  T scale;
  DIFFSIAM_HOST_DEVICE void operator()(T& y, T const& x) const { y = scale * x; }
};
/// y += scale x.
template <class T>
struct AccumulateScaled {
  T scale;
  DIFFSIAM_HOST_DEVICE void operator()(T& y, T const& x) const { y += scale * x; }
  [[nodiscard]] Scale<T> overwriting() const { return {scale}; }
};
/// y = scale x + offset.
template <class T>
struct Affine {
  T scale, offset;
  DIFFSIAM_HOST_DEVICE void operator()(T& y, T const& x) const { y = scale * x + offset; }
};
/// y = a A + b B.
template <class T>
struct LinearCombination {
  T a, b;
  DIFFSIAM_HOST_DEVICE void operator()(T& y, T const& first, T const& second) const {
    y = a * first + b * second;
  }
};
/// y = f(a + b + c + d).
template <class F>
struct SumOfFour {
  F f;
  template <class T>
  DIFFSIAM_HOST_DEVICE void operator()(T& y, T const& a, T const& b, T const& c, T const& d) const {
    y = f((a + b) + (c + d));
  }
};
/// y = a b.
struct Multiply {
  template <class T>
  DIFFSIAM_HOST_DEVICE void operator()(T& y, T const& a, T const& b) const {
    y = a * b;
  }
};
/// y += a b.
struct MultiplyAccumulate {
  template <class T>
  DIFFSIAM_HOST_DEVICE void operator()(T& y, T const& a, T const& b) const {
    y += a * b;
  }
};
/// y = a / b.
struct Divide {
  template <class T>
  DIFFSIAM_HOST_DEVICE void operator()(T& y, T const& a, T const& b) const {
    y = a / b;
  }
};
/// y += a / b.
struct DivideAccumulate {
  template <class T>
  DIFFSIAM_HOST_DEVICE void operator()(T& y, T const& a, T const& b) const {
    y += a / b;
  }
};
/// The gradient of b in y = a / b: db -= dy y / b.
struct DenominatorGradient {
  template <class T>
  DIFFSIAM_HOST_DEVICE void operator()(T& db, T const& dy, T const& y, T const& b) const {
    db -= dy * y / b;
  }
};
/// y = mask != 0 ? x : 0. This is a choice and not a product, so NaN in x has no effect where mask is 0.
struct Select {
  template <class T>
  DIFFSIAM_HOST_DEVICE void operator()(T& y, T const& x, T const& mask) const {
    y = mask != T(0) ? x : T(0);
  }
};
/// y += mask != 0 ? x : 0.
struct SelectAccumulate {
  template <class T>
  DIFFSIAM_HOST_DEVICE void operator()(T& y, T const& x, T const& mask) const {
    y += mask != T(0) ? x : T(0);
  }
};

/// mask = draw < p ? 0 : scale, in place.
template <class T>
struct DropoutMask {
  T p, scale;
  DIFFSIAM_HOST_DEVICE void operator()(T& draw) const { draw = draw < p ? T(0) : scale; }
};

/// x in [0, 1) becomes low + (high - low) x, in place.
/// `low` is included, and `high` is not, up to rounding.
template <class T>
struct FromUnit {
  T low, high;
  DIFFSIAM_HOST_DEVICE void operator()(T& x) const { x = low + (high - low) * x; }
};
/// y = value.
template <class T>
struct Assign {
  T value;
  DIFFSIAM_HOST_DEVICE void operator()(T& y) const { y = value; }
};

/// The term x.
struct Itself {
  template <class T>
  [[nodiscard]] DIFFSIAM_HOST_DEVICE T operator()(T const& x) const {
    return x;
  }
};
/// The term scale x.
/// `scale` is a constant of all terms.
template <class T>
struct Scaled {
  T scale;
  [[nodiscard]] DIFFSIAM_HOST_DEVICE T operator()(T const& x) const { return scale * x; }
};
/// The term x^2.
struct Square {
  template <class T>
  [[nodiscard]] DIFFSIAM_HOST_DEVICE T operator()(T const& x) const {
    return x * x;
  }
};
/// The term a b.
struct Product {
  template <class T>
  [[nodiscard]] DIFFSIAM_HOST_DEVICE T operator()(T const& a, T const& b) const {
    return a * b;
  }
};

}  // namespace diffsiam::functional
