// Gradients through a softmax and the losses on top of it.
#pragma once

#include <diffsiam/functional/math.hpp>

namespace diffsiam::functional {

/// ds = scale p (ds - inner), with inner = sum of p ds over the row.
template <class T>
struct SoftmaxGradient {
  T scale;
  DIFFSIAM_HOST_DEVICE void operator()(T& ds, T const& p, T const& inner) const {
    ds = scale * p * (ds - inner);
  }
};
/// Summand -target log p; 0 where the target is 0, even if p is.
template <class T>
struct CrossEntropy {
  T scale;
  [[nodiscard]] DIFFSIAM_HOST_DEVICE T operator()(T const& target, T const& log_p) const {
    return target == T(0) ? T(0) : -scale * target * log_p;
  }
};
/// dx += scale dy (p mass - target), p = e^log_p and mass the sum of the row's targets.
template <class T>
struct CrossEntropyGradient {
  T scale;
  DIFFSIAM_HOST_DEVICE void operator()(T& dx, T const& dy, T const& log_p, T const& target,
                                       T const& mass) const {
    dx += scale * dy * (functional::exp(log_p) * mass - target);
  }
};
/// Summand of binary cross-entropy on logits: softplus(x) - target x.
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
