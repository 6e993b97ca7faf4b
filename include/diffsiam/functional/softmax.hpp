// Gradients of a softmax, and cross-entropy losses with their gradients.
#pragma once

#include <diffsiam/functional/math.hpp>

namespace diffsiam::functional {

/// ds = scale p (ds - inner), where inner is the sum of p ds over the row.
template <class T>
struct SoftmaxGradient {
  T scale;
  DIFFSIAM_HOST_DEVICE void operator()(T& ds, T const& p, T const& inner) const {
    ds = scale * p * (ds - inner);
  }
};
/// The term -scale target log p. It is 0 if the target is 0, even if p is 0, too.
/// `scale` is a constant of all terms.
template <class T>
struct CrossEntropy {
  T scale;
  [[nodiscard]] DIFFSIAM_HOST_DEVICE T operator()(T const& target, T const& log_p) const {
    return target == T(0) ? T(0) : -scale * target * log_p;
  }
};
/// dx += scale dy (p mass - target), where p = e^log_p and mass is the sum of the targets of the row.
template <class T>
struct CrossEntropyGradient {
  T scale;
  DIFFSIAM_HOST_DEVICE void operator()(T& dx, T const& dy, T const& log_p, T const& target,
                                       T const& mass) const {
    dx += scale * dy * (functional::exp(log_p) * mass - target);
  }
};
/// The term scale (softplus(x) - target x) of the binary cross-entropy with logits x.
/// `scale` is a constant of all terms.
template <class T>
struct BinaryCrossEntropy {
  T scale;
  [[nodiscard]] DIFFSIAM_HOST_DEVICE T operator()(T const& x, T const& target) const {
    return scale * (functional::softplus(x) - target * x);
  }
};
/// dx += scale dy (sigmoid(x) - target).
template <class T>
struct BinaryCrossEntropyGradient {
  T scale;
  DIFFSIAM_HOST_DEVICE void operator()(T& dx, T const& dy, T const& x, T const& target) const {
    dx += scale * dy * (functional::sigmoid(x) - target);
  }
};

}  // namespace diffsiam::functional
