// The arithmetic of normalisation layers. For each channel they are an affine map and an activation, y =
// act(a x + d), where a and d contain statistics, weights and modulation.
#pragma once

#include <limits>

#include <diffsiam/functional/math.hpp>

namespace diffsiam::functional {

/// The term (x - mean)^2.
struct SquaredDeviation {
  template <class T>
  [[nodiscard]] DIFFSIAM_HOST_DEVICE T operator()(T const& x, T const& mean) const {
    return (x - mean) * (x - mean);
  }
};
/// r = 1 / sqrt(variance + epsilon). It is NaN if the variance is infinite: r would be 0, every output would
/// be beta, and nobody would notice.
template <class T>
struct InverseDeviation {
  T epsilon;
  DIFFSIAM_HOST_DEVICE void operator()(T& r, T const& variance) const {
    r = variance <= std::numeric_limits<T>::max() ? T(1) / functional::sqrt(variance + epsilon)
                                                  : std::numeric_limits<T>::quiet_NaN();
  }
};
/// a = r gamma, d = beta - mean a.
struct FoldStatistics {
  template <class T>
  DIFFSIAM_HOST_DEVICE void operator()(T& a, T& d, T const& mean, T const& r, T const& gamma,
                                       T const& beta) const {
    a = r * gamma;
    d = beta - mean * a;
  }
};
/// (a, d) -> (a (1 + s), d (1 + s) + b): adds a modulation after the normalisation.
struct FoldModulation {
  template <class T>
  DIFFSIAM_HOST_DEVICE void operator()(T& a, T& d, T const& s, T const& b) const {
    a *= T(1) + s;
    d = d * (T(1) + s) + b;
  }
};
/// y = act(a x + d).
template <class Act>
struct AffineActivate {
  template <class T>
  DIFFSIAM_HOST_DEVICE void operator()(T& y, T const& x, T const& a, T const& d) const {
    y = Act::value(a * x + d);
  }
};
/// dv = dy act'(a x + d): the gradient before the activation.
template <class Act>
struct AffineActivateGradient {
  template <class T>
  DIFFSIAM_HOST_DEVICE void operator()(T& dv, T const& dy, T const& x, T const& a, T const& d) const {
    dv = dy * Act::derivative(a * x + d);
  }
};
/// The term dv x^, where x^ = (x - mean) r.
struct NormProduct {
  template <class T>
  [[nodiscard]] DIFFSIAM_HOST_DEVICE T operator()(T const& dv, T const& x, T const& mean, T const& r) const {
    return dv * (x - mean) * r;
  }
};
/// (ds, db) += (gamma p_2 + beta p_1, p_1), where p_1 is the sum of dv and p_2 the sum of dv x^.
struct ModulationGradient {
  template <class T>
  DIFFSIAM_HOST_DEVICE void operator()(T& ds, T& db, T const& p_1, T const& p_2, T const& gamma,
                                       T const& beta) const {
    ds += gamma * p_2 + beta * p_1;
    db += p_1;
  }
};
/// (p_1, p_2) *= 1 + s: converts sums of the gradient after the modulation to sums of that before it.
struct ThroughModulation {
  template <class T>
  DIFFSIAM_HOST_DEVICE void operator()(T& p_1, T& p_2, T const& s) const {
    p_1 *= T(1) + s;
    p_2 *= T(1) + s;
  }
};
/// dx += a dv - r (m_1 + x^ m_2), where m_1 and m_2 are the means over the group of dx^ and dx^ x^.
struct NormalisationGradient {
  template <class T>
  DIFFSIAM_HOST_DEVICE void operator()(T& dx, T const& dv, T const& x, T const& a, T const& mean, T const& r,
                                       T const& m_1, T const& m_2) const {
    dx += a * dv - r * (m_1 + (x - mean) * r * m_2);
  }
};
/// running = (1 - momentum) running + momentum scale statistic.
template <class T>
struct RunningAverage {
  T momentum, scale;
  DIFFSIAM_HOST_DEVICE void operator()(T& running, T const& statistic) const {
    running = (T(1) - momentum) * running + momentum * scale * statistic;
  }
};
/// The modulation with the effect of (s, b) and then (s_z, b_z): (1 + s)(1 + s_z) - 1 and b (1 + s_z) + b_z.
struct ComposeModulation {
  template <class T>
  DIFFSIAM_HOST_DEVICE void operator()(T& s_out, T& b_out, T const& s, T const& b, T const& s_z,
                                       T const& b_z) const {
    s_out = s + s_z + s * s_z;
    b_out = b * (T(1) + s_z) + b_z;
  }
};
/// Adds the gradients of the first modulation.
struct ComposeModulationGradientFirst {
  template <class T>
  DIFFSIAM_HOST_DEVICE void operator()(T& ds, T& db, T const& ds_out, T const& db_out, T const& s_z) const {
    ds += ds_out * (T(1) + s_z);
    db += db_out * (T(1) + s_z);
  }
};
/// Adds the gradients of the second modulation.
struct ComposeModulationGradientSecond {
  template <class T>
  DIFFSIAM_HOST_DEVICE void operator()(T& ds_z, T& db_z, T const& ds_out, T const& db_out, T const& s,
                                       T const& b) const {
    ds_z += ds_out * (T(1) + s) + db_out * b;
    db_z += db_out;
  }
};

}  // namespace diffsiam::functional
