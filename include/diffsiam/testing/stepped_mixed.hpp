// SteppedMixed: Stepped with activations that may be in low precision, for tests of the kernels that read and
// write them.
#pragma once

#include <diffsiam/backend/cuda/kernels/mixed.hpp>
#include <diffsiam/core/half.hpp>
#include <diffsiam/testing/stepped_backend.hpp>

namespace diffsiam::testing {

/// C is BFloat16 or Half. Values are rounded only when they are stored.
template <class C>
struct SteppedMixed : Stepped<float, backend::cuda::MixedKernels<float, C, SteppedDevice>> {
  /// Stepped with these kernels.
  using Base = Stepped<float, backend::cuda::MixedKernels<float, C, SteppedDevice>>;
  /// The kernels.
  using OwnKernels = backend::cuda::MixedKernels<float, C, SteppedDevice>;
  using typename Base::Context;
  using typename Base::Device;
  using typename OwnKernels::Read;
  using typename OwnKernels::Written;
  using Brings = typename Base::Brings::template With<backend::Option::storage>;
  /// The allowed error of stored images compared with float32, relative to the largest value.
  static constexpr double operand_tolerance = 1e-2;
  static constexpr bool adds_to_low_precision = true;  ///< see backend::AddsToLowPrecision

  static void copy(Context& context, Read const& from, Written const& to, Index size) {
    OwnKernels::copy(context, from, to, size);
  }
  static void conv2d_gradient_input(Context& context, ConvGeometry const& g, Read const& dy, float const* w,
                                    Written const& dx, Read const& earlier = nullptr) {
    Base::conv2d_gradient_input(context, g, dy, w, dx);
    if (is_low_precision(earlier))
      OwnKernels::add_to_low_precision(context, earlier, dx, g.n * g.h * g.w * g.in);
  }
};

static_assert(backend::Recordable<SteppedMixed<BFloat16>> && backend::Recordable<SteppedMixed<Half>>);

}  // namespace diffsiam::testing
