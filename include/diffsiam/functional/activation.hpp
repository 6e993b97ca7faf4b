// Functions of one number, such as activations: each has its value and its derivative, which any backend can
// apply.
#pragma once

#include <string_view>

#include <diffsiam/functional/math.hpp>

namespace diffsiam::functional {

/// y = x.
struct Identity {
  static constexpr std::string_view name = "identity";
  template <class T>
  [[nodiscard]] DIFFSIAM_HOST_DEVICE static T value(T x) {
    return x;
  }
  template <class T>
  [[nodiscard]] DIFFSIAM_HOST_DEVICE static T derivative(T) {
    return T(1);
  }
};

/// y = max(x, 0); the derivative at 0 is 0.
struct Relu {
  static constexpr std::string_view name = "relu";
  template <class T>
  [[nodiscard]] DIFFSIAM_HOST_DEVICE static T value(T x) {
    return x < T(0) ? T(0) : x;
  }
  template <class T>
  [[nodiscard]] DIFFSIAM_HOST_DEVICE static T derivative(T x) {
    return x > T(0) ? T(1) : T(0);
  }
};

/// y = x / (1 + e^-x). It tends to 0 at -infinity, and NaN stays NaN.
struct Silu {
  static constexpr std::string_view name = "silu";
  template <class T>
  [[nodiscard]] DIFFSIAM_HOST_DEVICE static T value(T x) {
    T const above = x < T(-80) ? T(-80) : x;
    return above * functional::bounded_sigmoid(above > T(80) ? T(80) : above);
  }
  template <class T>
  [[nodiscard]] DIFFSIAM_HOST_DEVICE static T derivative(T x) {
    T const bounded = x < T(-80) ? T(-80) : (x > T(80) ? T(80) : x);
    T const s = functional::bounded_sigmoid(bounded);
    return s * (T(1) + bounded * (T(1) - s));
  }
};

/// y = e^x.
struct Exp {
  static constexpr std::string_view name = "exp";
  template <class T>
  [[nodiscard]] DIFFSIAM_HOST_DEVICE static T value(T x) {
    return functional::exp(x);
  }
  template <class T>
  [[nodiscard]] DIFFSIAM_HOST_DEVICE static T derivative(T x) {
    return functional::exp(x);
  }
};

/// y = ln x. It is -infinity at 0 and NaN below.
struct Log {
  static constexpr std::string_view name = "log";
  template <class T>
  [[nodiscard]] DIFFSIAM_HOST_DEVICE static T value(T x) {
    return functional::log(x);
  }
  template <class T>
  [[nodiscard]] DIFFSIAM_HOST_DEVICE static T derivative(T x) {
    return T(1) / x;
  }
};

/// y = the square root of x. It is NaN below 0; the derivative at 0 is infinite.
struct Sqrt {
  static constexpr std::string_view name = "sqrt";
  template <class T>
  [[nodiscard]] DIFFSIAM_HOST_DEVICE static T value(T x) {
    return functional::sqrt(x);
  }
  template <class T>
  [[nodiscard]] DIFFSIAM_HOST_DEVICE static T derivative(T x) {
    return T(0.5) / functional::sqrt(x);
  }
};

/// y = |x|; the derivative at 0 is 0.
struct Abs {
  static constexpr std::string_view name = "abs";
  template <class T>
  [[nodiscard]] DIFFSIAM_HOST_DEVICE static T value(T x) {
    return functional::abs(x);
  }
  template <class T>
  [[nodiscard]] DIFFSIAM_HOST_DEVICE static T derivative(T x) {
    return x > T(0) ? T(1) : (x < T(0) ? T(-1) : T(0));
  }
};

/// y = x^exponent, as std::pow has it. The derivative for exponent 0 is 0, at x = 0, too.
template <class T>
struct Power {
  T exponent;
  DIFFSIAM_HOST_DEVICE void operator()(T& y, T const& x) const { y = functional::pow(x, exponent); }
};
/// dx += dy exponent x^(exponent - 1).
template <class T>
struct PowerGradient {
  T exponent;
  DIFFSIAM_HOST_DEVICE void operator()(T& dx, T const& dy, T const& x) const {
    if (exponent != T(0)) dx += dy * exponent * functional::pow(x, exponent - T(1));
  }
};

/// y = act(x).
template <class Act>
struct Activate {
  template <class T>
  DIFFSIAM_HOST_DEVICE void operator()(T& y, T const& x) const {
    y = Act::value(x);
  }
};
/// dx += dy act'(x).
template <class Act>
struct ActivateGradient {
  template <class T>
  DIFFSIAM_HOST_DEVICE void operator()(T& dx, T const& dy, T const& x) const {
    dx += dy * Act::derivative(x);
  }
};

}  // namespace diffsiam::functional
