// A GroupNorm with modulation as plain data: what the operation passes to backends that have a fused one.
#pragma once

#include <diffsiam/core/shape.hpp>

namespace diffsiam {

/// x (n, s, c): samples, positions, channels; statistics over positions and the channels of a group.
struct NormGeometry {
  /// `c` is a multiple of `groups`.
  Index n = 0, s = 0, c = 0, groups = 1;
  /// Channels of a group.
  [[nodiscard]] constexpr Index per_group() const { return c / groups; }
};

/// y = act(scale x + shift), where (scale, shift) fold mean, deviation, gamma (c), beta (c) and the
/// modulation (n, 2 c: scale, then shift; null where there is none). Tables are (n, c) and written for the
/// backward pass. In and Out are pointers, or MixedPointers.
template <class T, class In = T const*, class Out = T*>
struct NormForward {
  In x = nullptr;
  T const* gamma = nullptr;
  T const* beta = nullptr;
  T const* modulation = nullptr;
  double epsilon = 0;  ///< added to the variance; not negative
  Out y = nullptr;
  T* mean = nullptr;
  T* inverse_deviation = nullptr;  ///< 1 / sqrt(variance + epsilon)
  T* scale = nullptr;
  T* shift = nullptr;
};

/// Tables as NormForward left them. Writes p_1 and p_2 (n, c): sums over positions of dv and of dv x^,
/// brought before the modulation, from which the gradients of gamma and beta follow. Adds into dx and
/// d_modulation where they are wanted (not null); a dx in low precision is written.
/// `x`, `gamma`, `beta`, `modulation`, `mean`, `inverse_deviation`, `scale` and `shift` are those of
/// NormForward; `dy` is the gradient of its y. `dx`, `d_modulation`, `p_1` and `p_2` are the results.
/// `earlier`, where it is not null, is what backends that add to low precision add to a dx that they write.
template <class T, class In = T const*, class Out = T*>
struct NormBackward {
  In x = nullptr;
  T const* gamma = nullptr;
  T const* beta = nullptr;
  T const* modulation = nullptr;
  In dy = nullptr;
  T const* mean = nullptr;
  T const* inverse_deviation = nullptr;
  T const* scale = nullptr;
  T const* shift = nullptr;
  Out dx = nullptr;
  In earlier = nullptr;
  T* d_modulation = nullptr;
  T* p_1 = nullptr;
  T* p_2 = nullptr;
};

/// The same pass on the images that its own point to, of type X in memory.
template <class T, class In, class Out, class X>
[[nodiscard]] NormForward<T, X const*, X*> with_images(NormForward<T, In, Out> const& pass, X const* x,
                                                       X* y) {
  return {
      x,          pass.gamma, pass.beta, pass.modulation, pass.epsilon, y, pass.mean, pass.inverse_deviation,
      pass.scale, pass.shift};
}
template <class T, class In, class Out, class X>
[[nodiscard]] NormBackward<T, X const*, X*> with_images(NormBackward<T, In, Out> const& pass, X const* x,
                                                        X const* dy, X* dx, X const* earlier = nullptr) {
  return {x,
          pass.gamma,
          pass.beta,
          pass.modulation,
          dy,
          pass.mean,
          pass.inverse_deviation,
          pass.scale,
          pass.shift,
          dx,
          earlier,
          pass.d_modulation,
          pass.p_1,
          pass.p_2};
}

}  // namespace diffsiam
