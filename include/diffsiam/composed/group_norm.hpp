// GroupNorm with activation Act for any backend: its own FusedGroupNorm if it has one, otherwise composed of
// the functions that every backend has.
#pragma once

#include <type_traits>

#include <diffsiam/composed/norm.hpp>
#include <diffsiam/concepts/backend_options.hpp>
#include <diffsiam/core/norm.hpp>

namespace diffsiam::composed {

/// A forward pass with images as B stores them.
template <class B>
using NormForwardOf = NormForward<typename B::Scalar, backend::ReadBy<B>, backend::WrittenBy<B>>;
/// A backward pass with images as B stores them.
template <class B>
using NormBackwardOf = NormBackward<typename B::Scalar, backend::ReadBy<B>, backend::WrittenBy<B>>;
/// A function that computes a forward or a backward pass.
template <class B, class Pass>
using NormFunction = void (*)(typename B::Context&, NormGeometry const&, Pass const&);

/// The composed forward pass.
template <class B, class Act>
void group_norm(typename B::Context& context, NormGeometry const& g, NormForwardOf<B> const& pass) {
  ComposedNorm<B> const norm{context, {g.n, g.s, g.c}, g.groups};
  Tensor<B> const mean = norm.table(), variance = norm.table();
  norm.statistics(pass.x, mean, variance);
  norm.fold(mean, variance, pass);
  if (pass.modulation != nullptr) norm.modulate(pass.modulation, pass.scale, pass.shift);
  norm.template apply<Act>(pass.x, pass.scale, pass.shift, pass.y);
}
/// The composed backward pass.
template <class B, class Act>
void group_norm_gradient(typename B::Context& context, NormGeometry const& g, NormBackwardOf<B> const& pass) {
  ComposedNorm<B> const norm{context, {g.n, g.s, g.c}, g.groups};
  Tensor<B> behind;
  auto const* dv = pass.dy;
  if constexpr (!std::is_same_v<Act, functional::Identity>) {
    behind = norm.template through_activation<Act>(pass);
    dv = behind.data();
  }
  norm.sums(dv, pass);
  if (pass.modulation != nullptr) norm.through_modulation(pass);
  norm.add_input_gradient(dv, pass, true);
}

/// The forward pass of B: its own, or the composed one.
template <class B, class Act>
[[nodiscard]] constexpr NormFunction<B, NormForwardOf<B>> group_norm_of() {
  if constexpr (backend::FusedGroupNorm<B, Act>)
    return &B::template group_norm<Act>;
  else
    return &group_norm<B, Act>;
}
/// The backward pass of B: its own, or the composed one.
template <class B, class Act>
[[nodiscard]] constexpr NormFunction<B, NormBackwardOf<B>> group_norm_gradient_of() {
  if constexpr (backend::FusedGroupNorm<B, Act>)
    return &B::template group_norm_gradient<Act>;
  else
    return &group_norm_gradient<B, Act>;
}

}  // namespace diffsiam::composed
