// GroupNorm with activation Act, as a backend computes it: by its own FusedGroupNorm, or composed of the
// functions that every backend has.
#pragma once

#include <type_traits>

#include <diffsiam/composed/normalise.hpp>
#include <diffsiam/concepts/backend_options.hpp>
#include <diffsiam/core/normalisation.hpp>

namespace diffsiam::composed {

template <class B>
using NormForwardOf = NormForward<typename B::Scalar, backend::ReadBy<B>, backend::WrittenBy<B>>;
template <class B>
using NormBackwardOf = NormBackward<typename B::Scalar, backend::ReadBy<B>, backend::WrittenBy<B>>;
/// What computes a pass.
template <class B, class Pass>
using NormFunction = void (*)(typename B::Context&, NormGeometry const&, Pass const&);

template <class B, class Act>
void group_norm(typename B::Context& context, NormGeometry const& g, NormForwardOf<B> const& pass) {
  Normalise<B> const normalise{context, {g.n, g.s, g.c}, g.groups};
  Tensor<B> const mean = normalise.table(), variance = normalise.table();
  normalise.statistics(pass.x, mean, variance);
  normalise.fold(mean, variance, pass);
  if (pass.modulation != nullptr) normalise.modulate(pass.modulation, pass.scale, pass.shift);
  normalise.template apply<Act>(pass.x, pass.scale, pass.shift, pass.y);
}
template <class B, class Act>
void group_norm_gradient(typename B::Context& context, NormGeometry const& g, NormBackwardOf<B> const& pass) {
  Normalise<B> const normalise{context, {g.n, g.s, g.c}, g.groups};
  Tensor<B> behind;
  auto const* dv = pass.dy;
  if constexpr (!std::is_same_v<Act, functional::Identity>) {
    behind = normalise.template through_activation<Act>(pass);
    dv = behind.data();
  }
  normalise.sums(dv, pass);
  if (pass.modulation != nullptr) normalise.through_modulation(pass);
  normalise.add_input_gradient(dv, pass, true);
}

template <class B, class Act>
[[nodiscard]] constexpr NormFunction<B, NormForwardOf<B>> group_norm_of() {
  if constexpr (backend::FusedGroupNorm<B, Act>)
    return &B::template group_norm<Act>;
  else
    return &group_norm<B, Act>;
}
template <class B, class Act>
[[nodiscard]] constexpr NormFunction<B, NormBackwardOf<B>> group_norm_gradient_of() {
  if constexpr (backend::FusedGroupNorm<B, Act>)
    return &B::template group_norm_gradient<Act>;
  else
    return &group_norm_gradient<B, Act>;
}

}  // namespace diffsiam::composed
