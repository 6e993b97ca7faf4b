// Kernels: the groups Elementwise, Reduce and Random of a backend, and its GroupNorm and BatchNorm, with the
// library's own kernels. A Device launches them: it has `Device::Context` and `Device::launch(context,
// blocks, kernel)`.
#pragma once

#include <span>

#include <diffsiam/backend/cuda/kernels/constants.hpp>
#include <diffsiam/backend/cuda/kernels/elementwise.hpp>
#include <diffsiam/backend/cuda/kernels/group_norm.hpp>
#include <diffsiam/backend/cuda/kernels/group_norm_gradient.hpp>
#include <diffsiam/backend/cuda/kernels/multi_tensor.hpp>
#include <diffsiam/backend/cuda/kernels/random.hpp>
#include <diffsiam/backend/cuda/kernels/softmax.hpp>
#include <diffsiam/backend/cuda/kernels/square_norms.hpp>
#include <diffsiam/backend/cuda/kernels/sum.hpp>
#include <diffsiam/functional/activation.hpp>

namespace diffsiam::backend::cuda {

/// x = value.
template <class T>
struct FillValue {
  T value;
  DIFFSIAM_HOST_DEVICE void operator()(T& x) const { x = value; }
};

/// T is the scalar type.
template <class T, class Device>
struct Kernels {
  using Scalar = T;
  using Context = typename Device::Context;
  using Read = T const*;
  using Written = T*;

  static void fill(Context& context, T* data, Index size, T value) {
    for_each(context, {{1, 1, 1, 1, size}}, FillValue<T>{value}, Operand<T, 1>{data});
  }
  template <class F, class... O>
  static void for_each(Context& context, Grid const& grid, F const& f, O const&... operands) {
    cuda::for_each<Device, T>(context, grid, f, operands...);
  }
  template <class F, class Out, class... O>
  static void sum(Context& context, Grid const& grid, F const& f, Out const& out, O const&... operands) {
    cuda::sum<Device, T, T>(context, grid, f, out, operands...);
  }
  static void softmax(Context& context, Index rows, Index columns, T const* x, T* y) {
    cuda::softmax<Device, false>(context, rows, columns, x, y);
  }
  static void log_softmax(Context& context, Index rows, Index columns, T const* x, T* y) {
    cuda::softmax<Device, true>(context, rows, columns, x, y);
  }
  template <class Act>
  static void group_norm(Context& context, NormGeometry const& g, NormForward<T> const& pass) {
    cuda::group_norm<Device, Act>(context, g, pass);
  }
  template <class Act>
  static void group_norm_gradient(Context& context, NormGeometry const& g, NormBackward<T> const& pass) {
    cuda::group_norm_gradient<Device, Act>(context, g, pass);
  }
  /// `variance` (c) is without Bessel's correction.
  static void batch_norm(Context& context, NormGeometry const& g, NormForward<T> const& pass, T* variance) {
    cuda::group_norm<Device, functional::Identity>(context, g, pass, variance);
  }
  static void uniform(Context& context, Rng const& rng, T* x, Index size) {
    fill_random<Device, Uniforms>(context, rng, x, size);
  }
  static void normal(Context& context, Rng const& rng, T* x, Index size) {
    fill_random<Device, Normals>(context, rng, x, size);
  }

  // Functions for recorded training steps; see concepts/recording.hpp.
  static void find_gradient_scale(Context& context, StepReport<T> const& report, GradientScale<T>* scale) {
    Device::launch(context, 1, FindGradientScale<T>{report, scale});
  }
  static void square_norms(Context& context, std::span<TensorValues<T> const> tensors, T* squares) {
    cuda::square_norms<Device>(context, tensors, squares);
  }
  template <std::size_t N, class F>
  static void multi_tensor_apply(Context& context, TensorChunk<T, N> const* chunks, Index count, F const* f,
                                 GradientScale<T> const* scale) {
    if (count > 0) Device::launch(context, count, MultiTensorApply<T, N, F>{chunks, f, scale});
  }
};

}  // namespace diffsiam::backend::cuda
