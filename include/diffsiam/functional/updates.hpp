// The update of one scalar weight in a training step. Hyper-parameters change from step to step, so they are
// members. The gradient is set to zero. Formulas are those of the documentation of torch.optim.
#pragma once

#include <diffsiam/config.hpp>
#include <diffsiam/core/multi_tensor.hpp>
#include <diffsiam/functional/math.hpp>

namespace diffsiam::functional {

/// Adam (Kingma and Ba, 2015) and AdamW (Loshchilov and Hutter, 2019), for w, its gradient and two moments:
///   w = keep w,  g = g + l2 w,  m = beta_1 m + (1 - beta_1) g,  v = beta_2 v + (1 - beta_2) g^2,
///   w = w - step m / (sqrt(v) unbias + epsilon),
/// with step = rate / (1 - beta_1^n) and unbias = 1 / sqrt(1 - beta_2^n) computed by the caller in double.
template <class T>
struct AdamUpdate {
  T keep, l2;
  /// The decays, and 1 less each, rounded once from double
  T beta_1, one_minus_beta_1, beta_2, one_minus_beta_2;
  T step, unbias, epsilon;

  DIFFSIAM_HOST_DEVICE void operator()(T& weight, T& gradient, T& first, T& second) const {
    T const w = keep * weight;
    T const g = gradient + l2 * weight;
    T const m = beta_1 * first + one_minus_beta_1 * g;
    T const v = beta_2 * second + one_minus_beta_2 * g * g;
    weight = w - step * m / (functional::sqrt(v) * unbias + epsilon);
    first = m;
    second = v;
    gradient = T(0);
  }
};

/// Gradient descent without momentum: w = w - rate (g + l2 w).
template <class T>
struct DescentUpdate {
  T rate, l2;

  DIFFSIAM_HOST_DEVICE void operator()(T& weight, T& gradient) const {
    weight -= rate * (gradient + l2 * weight);
    gradient = T(0);
  }
};

/// Gradient descent with momentum:
///   g = g + l2 w,  v = momentum v + g,  w = w - rate (along_gradient g + along_velocity v).
/// (along_gradient, along_velocity) = (0, 1) is classical momentum, (1, momentum) is Nesterov's.
template <class T>
struct MomentumUpdate {
  T rate, l2, momentum, along_gradient, along_velocity;

  DIFFSIAM_HOST_DEVICE void operator()(T& weight, T& gradient, T& velocity) const {
    T const g = gradient + l2 * weight;
    T const v = momentum * velocity + g;
    weight -= rate * (along_gradient * g + along_velocity * v);
    velocity = v;
    gradient = T(0);
  }
};

/// average += (1 - decay) (x - average): an exponential moving average.
template <class T>
struct AverageUpdate {
  T one_minus_decay;  ///< 1 - decay, rounded once from double
  DIFFSIAM_HOST_DEVICE void operator()(T& average, T const& x) const {
    average += one_minus_decay * (x - average);
  }
};

/// Updates a weight that has up to two states, and then the average of the weight.
/// `update` is of the weight, and `average` of its mean.
template <class T, class Update>
struct UpdateAndAverage {
  Update update;
  AverageUpdate<T> average;

  DIFFSIAM_HOST_DEVICE void operator()(T& weight, T& gradient, T& mean) const {
    update(weight, gradient);
    average(mean, weight);
  }
  DIFFSIAM_HOST_DEVICE void operator()(T& weight, T& gradient, T& mean, T& a) const {
    update(weight, gradient, a);
    average(mean, weight);
  }
  DIFFSIAM_HOST_DEVICE void operator()(T& weight, T& gradient, T& mean, T& a, T& b) const {
    update(weight, gradient, a, b);
    average(mean, weight);
  }
};

/// The factor that reduces gradients of this norm to `max_norm`; it is at most 1, and 1 if max_norm is 0.
[[nodiscard]] DIFFSIAM_HOST_DEVICE inline double clip_factor(double norm, double max_norm) {
  double const factor = max_norm / (norm + 1e-6);
  return max_norm > 0 && factor < 1 ? factor : 1;
}

/// The factor that removes the loss scale and clips gradients. `norm` is their norm without the loss scale.
[[nodiscard]] DIFFSIAM_HOST_DEVICE inline double gradient_factor(double norm, double loss_scale,
                                                                 double max_norm) {
  return clip_factor(norm, max_norm) / loss_scale;
}

/// False for NaN and infinities.
[[nodiscard]] DIFFSIAM_HOST_DEVICE inline bool finite(double x) {
  return x - x == 0;
}

/// The update of a weight by scaled gradients. It changes nothing unless all gradients are finite.
/// `update` gets the scaled gradient.
template <class Update>
struct UpdateIfFinite {
  Update update;

  template <class T, class... Memory>
  DIFFSIAM_HOST_DEVICE void operator()(GradientScale<T> const& scale, T& weight, T& gradient,
                                       Memory&... memory) const {
    if (!scale.finite) {
      gradient = T(0);
      return;
    }
    // A separate product, so that it is not fused with the update.
    if (scale.factor != T(1)) gradient *= scale.factor;
    update(weight, gradient, memory...);
  }
};

/// Sets a buffer to its proposed value, unless the gradients of the step are not finite.
/// `scale` tells whether they are; it is borrowed.
template <class T>
struct CommitIfFinite {
  GradientScale<T> const* scale;
  DIFFSIAM_HOST_DEVICE void operator()(T& value, T const& proposal) const {
    if (scale->finite) value = proposal;
  }
};

/// x *= factor.
/// `factor` is the same for all x.
template <class T>
struct ScaleInPlace {
  T factor;
  DIFFSIAM_HOST_DEVICE void operator()(T& x) const { x *= factor; }
};

/// Swaps two values, bit for bit.
struct Swap {
  template <class T>
  DIFFSIAM_HOST_DEVICE void operator()(T& a, T& b) const {
    T const kept = a;
    a = b;
    b = kept;
  }
};

}  // namespace diffsiam::functional
