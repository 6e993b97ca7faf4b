// MixedKernels: Kernels for activations that may be in low precision. Everything is computed in T.
#pragma once

#include <type_traits>

#include <diffsiam/backend/cuda/kernels/kernels.hpp>
#include <diffsiam/backend/cuda/kernels/mixed_elementwise.hpp>
#include <diffsiam/functional/arithmetic.hpp>

namespace diffsiam::backend::cuda {

/// T is the scalar type, C the storage dtype.
template <class T, class C, class Device>
struct MixedKernels : Kernels<T, Device> {
  using Full = Kernels<T, Device>;
  using typename Full::Context;
  using Storage = C;
  using Read = MixedPointer<T const, C const>;
  using Written = MixedPointer<T, C>;

  static void fill(Context& context, Written const& data, Index size, T value) {
    if (!is_low_precision(data)) return Full::fill(context, data.full, size, value);
    cuda::for_each<Device, C>(context, {{1, 1, 1, 1, size}}, FillValue<C>{static_cast<C>(value)},
                              Operand<C, 1>{data.low});
  }
  static void copy(Context& context, Read const& from, Written const& to, Index size) {
    SampleGrid const all{1, 1, size};
    for_each(context, all.grid(), functional::Copy{}, all.full(to), all.full(from));
  }
  /// to += more, both in low precision.
  static void add_to_low_precision(Context& context, Read const& more, Written const& to, Index size) {
    SampleGrid const all{1, 1, size};
    for_each(context, all.grid(), functional::LinearCombination<T>{1, 1}, all.full(to), all.full(Read{to}),
             all.full(more));
  }
  template <class F, class... O>
  static void for_each(Context& context, Grid const& grid, F const& f, O const&... operands) {
    if constexpr (std::is_same_v<F, functional::Copy> && (may_be_low_precision<O> && ...)) {
      if ((is_low_precision(operands.data) && ...))
        return cuda::for_each<Device, C>(context, grid, f, in_low_precision(operands)...);
    }
    if constexpr ((may_be_low_precision<O> || ...)) {
      if ((is_low_precision(operands.data) || ...))
        return cuda::for_each_mixed<Device, T, C>(context, grid, f, operands...);
    }
    Full::for_each(context, grid, f, in_full_precision(operands)...);
  }
  template <class F, class Out, class... O>
  static void sum(Context& context, Grid const& grid, F const& f, Out const& out, O const&... operands) {
    if constexpr (std::is_same_v<F, functional::Itself> && (may_be_low_precision<O> && ...)) {
      if ((is_low_precision(operands.data) && ...))
        return cuda::sum<Device, T, C>(context, grid, f, out, in_low_precision(operands)...);
    }
    Full::sum(context, grid, f, out, in_full_precision(operands)...);
  }
  /// x, y and their gradients are all in low precision, or none of them is.
  template <class Act>
  static void group_norm(Context& context, NormGeometry const& g, NormForward<T, Read, Written> const& pass) {
    if (is_low_precision(pass.x))
      cuda::group_norm<Device, Act>(context, g, with_images(pass, pass.x.low, pass.y.low));
    else
      cuda::group_norm<Device, Act>(context, g, with_images(pass, pass.x.full, pass.y.full));
  }
  template <class Act>
  static void group_norm_gradient(Context& context, NormGeometry const& g,
                                  NormBackward<T, Read, Written> const& pass) {
    if (is_low_precision(pass.x))
      cuda::group_norm_gradient<Device, Act>(
          context, g, with_images(pass, pass.x.low, pass.dy.low, pass.dx.low, pass.earlier.low));
    else
      cuda::group_norm_gradient<Device, Act>(context, g,
                                             with_images(pass, pass.x.full, pass.dy.full, pass.dx.full));
  }
  static void batch_norm(Context& context, NormGeometry const& g, NormForward<T, Read, Written> const& pass,
                         T* variance) {
    auto const run = [&](auto const& images) {
      cuda::group_norm<Device, functional::Identity>(context, g, images, variance);
    };
    is_low_precision(pass.x) ? run(with_images(pass, pass.x.low, pass.y.low))
                             : run(with_images(pass, pass.x.full, pass.y.full));
  }
};

}  // namespace diffsiam::backend::cuda
