// Cuda: the backend for NVIDIA GPUs. Products come from cuBLASLt, convolutions from cuDNN, and everything
// between them from own kernels. It is for .cu files; nvcc needs --expt-relaxed-constexpr, which the target
// diffsiam::cuda sets.
#pragma once

#include <cstddef>
#include <initializer_list>
#include <type_traits>

#include <diffsiam/backend/cuda/conv_request.hpp>
#include <diffsiam/backend/cuda/kernels/bias.hpp>
#include <diffsiam/backend/cuda/kernels/conv2d.hpp>
#include <diffsiam/backend/cuda/kernels/kernels.hpp>
#include <diffsiam/backend/cuda/on_device.cuh>
#include <diffsiam/concepts/recording.hpp>
#include <diffsiam/functional/arithmetic.hpp>

namespace diffsiam::backend {

namespace cuda {

template <class Precision>
inline constexpr Math math_of = std::is_same_v<Precision, float> ? Math::float32 : Math::tf32;

}  // namespace cuda

/// Precision is float or cuda::TF32. With TF32 the operands of products and convolutions are rounded to 10
/// bits of mantissa, and everything else stays float32. For BFloat16 and Half see mixed.cuh. By construction
/// a shape always gives the same bits on one card, once its plans are chosen; another process may choose
/// other plans.
template <class Precision>
struct Cuda : cuda::OnDevice<cuda::Kernels<float, cuda::Stream>, cuda::math_of<Precision>> {
  static_assert(std::is_same_v<Precision, float> || std::is_same_v<Precision, cuda::TF32>,
                "Cuda computes in float, or with operands in cuda::TF32, BFloat16 or Half.");
  using Base = cuda::OnDevice<cuda::Kernels<float, cuda::Stream>, cuda::math_of<Precision>>;
  using typename Base::Context;
  static constexpr cuda::Math math = cuda::math_of<Precision>;
  /// As for Cpu: the allowed error of results compared with operands that are not rounded.
  static constexpr double operand_tolerance = math == cuda::Math::tf32 ? cuda::tf32_tolerance : 0;

  static void conv2d(Context& context, ConvGeometry const& g, float const* x, float const* w,
                     float const* bias, float* y) {
    if (cuda::is_empty(g)) return;
    auto& plan = context.convolution(request(g, cuda::Pass::forward, {x, w, y}));
    if (!plan.exists()) return cuda::direct_conv2d<cuda::Stream>(context, g, x, w, bias, y);
    Base::run(context, plan, {writable(x), writable(w), y});
    if (bias == nullptr) return;
    cuda::add_bias<cuda::Stream>(context, g.n * g.out_h() * g.out_w(), g.out, bias, y);
  }
  static void conv2d_gradient_input(Context& context, ConvGeometry const& g, float const* dy, float const* w,
                                    float* dx) {
    if (cuda::is_empty(g)) return;
    auto& plan = context.convolution(request(g, cuda::Pass::gradient_input, {dy, w}));
    if (!plan.exists()) return cuda::direct_conv2d_gradient_input<cuda::Stream>(context, g, dy, w, dx);
    add(context, g.n * g.h * g.w * g.in, dx,
        [&](void* fresh) { Base::run(context, plan, {fresh, writable(w), writable(dy)}); });
  }
  static void conv2d_gradient_weight(Context& context, ConvGeometry const& g, float const* x, float const* dy,
                                     float* dw) {
    if (cuda::is_empty(g)) return;
    auto& plan = context.convolution(request(g, cuda::Pass::gradient_weight, {x, dy}));
    if (!plan.exists()) return cuda::direct_conv2d_gradient_weight<cuda::Stream>(context, g, x, dy, dw);
    add(context, g.out * g.depth(), dw,
        [&](void* fresh) { Base::run(context, plan, {writable(x), fresh, writable(dy)}); });
  }

 private:
  [[nodiscard]] static cuda::ConvRequest request(ConvGeometry const& g, cuda::Pass pass,
                                                 std::initializer_list<void const*> tensors) {
    return cuda::full_request(g, pass, math, tensors);
  }
  [[nodiscard]] static void* writable(float const* data) { return const_cast<float*>(data); }

  /// into += what `write` writes to its own memory. Not all plans of cuDNN can accumulate, and plans that are
  /// run several times for a measurement must not.
  template <class Write>
  static void add(Context& context, Index size, float* into, Write const& write) {
    auto const memory = context.allocate(static_cast<std::size_t>(size) * sizeof(float));
    auto* const fresh = static_cast<float*>(memory.get());
    write(fresh);
    SampleGrid const all{1, 1, size};
    Base::for_each(context, all.grid(), functional::Accumulate{}, all.full(into), all.full(fresh));
  }
};

static_assert(Recordable<Cuda<float>> && Recordable<Cuda<cuda::TF32>>);

}  // namespace diffsiam::backend
