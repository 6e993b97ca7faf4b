// Cuda: the library on NVIDIA GPUs. Products from cuBLASLt, convolutions from cuDNN, everything between them
// from own kernels. For .cu files: --expt-relaxed-constexpr, which the target diffsiam::cuda sets.
#pragma once

#include <algorithm>
#include <type_traits>
#include <vector>

#include <diffsiam/backend/cuda/context.hpp>
#include <diffsiam/backend/cuda/host_slot.hpp>
#include <diffsiam/backend/cuda/kernels/conv2d.hpp>
#include <diffsiam/backend/cuda/kernels/kernels.hpp>
#include <diffsiam/backend/cuda/launch.cuh>
#include <diffsiam/concepts/recording.hpp>
#include <diffsiam/functional/arithmetic.hpp>

namespace diffsiam::backend {

/// Precision is float, or cuda::TF32: operands of products and convolutions are then rounded to 10 bits of
/// mantissa where they are multiplied, and everything else stays float32. By construction a shape gives the
/// same bits run after run on one card, once its plans are chosen; another process may choose other plans.
template <class Precision>
struct Cuda : cuda::Kernels<float, cuda::Stream> {
  static_assert(std::is_same_v<Precision, float> || std::is_same_v<Precision, cuda::TF32>,
                "Cuda computes in float or with operands in cuda::TF32.");
  using Base = cuda::Kernels<float, cuda::Stream>;
  using Context = CudaContext;
  using HostSlot = cuda::HostSlot;
  using Inbox = cuda::Inbox;
  static constexpr cuda::Math math =
      std::is_same_v<Precision, float> ? cuda::Math::float32 : cuda::Math::tf32;
  /// As for Cpu: how far results may stand from those of unrounded operands.
  static constexpr double operand_tolerance = math == cuda::Math::tf32 ? 1e-3 : 0;
  /// Random bits are the same everywhere; normals differ by fused multiply-adds: 2 ulp of the largest, 5.8.
  static constexpr double normal_tolerance = 2.4e-7;

  // Memory
  // ----------------------------------------------------------------------------------------------------------
  static void copy(Context& context, float const* from, float* to, Index size) {
    cuda::check(cudaMemcpyAsync(to, from, bytes(size), cudaMemcpyDeviceToDevice, context.stream()), "copy");
  }
  /// Returns when the values may be changed; the device may still be at work. While recording they become
  /// constants of the launches.
  template <class S>
  static void upload(Context& context, S const* from, float* to, Index size) {
    if constexpr (std::is_same_v<S, float>) {
      context.recording_state().note_upload(from, bytes(size));
      if (context.recording_state().recording())
        return cuda::write_constants<cuda::Stream>(context, from, to, size);
      cuda::check(cudaMemcpyAsync(to, from, bytes(size), cudaMemcpyHostToDevice, context.stream()), "upload");
    } else {
      std::vector<float> values(from, from + size);
      upload(context, values.data(), to, size);
    }
  }
  /// Waits for the values.
  template <class S>
  static void download(Context& context, float const* from, S* to, Index size) {
    if constexpr (std::is_same_v<S, float>) {
      context.recording_state().require_done("download");
      cuda::check(cudaMemcpyAsync(to, from, bytes(size), cudaMemcpyDeviceToHost, context.stream()),
                  "download");
      context.synchronise("download");
    } else {
      std::vector<float> values(static_cast<std::size_t>(size));
      download(context, from, values.data(), size);
      std::transform(values.begin(), values.end(), to, [](float value) { return static_cast<S>(value); });
    }
  }

  // Blas
  // ------------------------------------------------------------------------------------------------------------
  static void gemm(Context& context, Gemm<float> const& whole) {
    if (whole.m == 0 || whole.n == 0) return;
    Gemm<float> g = whole;
    g.batch_outer = 1;
    if (joins(whole)) {
      g.batch_inner = whole.batch_outer * whole.batch_inner;
      return multiply(context, g);
    }
    for (Index outer = 0; outer < whole.batch_outer; ++outer) {
      g.a.data = whole.a.data + outer * whole.a.outer_stride;
      g.b.data = whole.b.data + outer * whole.b.outer_stride;
      g.c.data = whole.c.data + outer * whole.c.outer_stride;
      multiply(context, g);
    }
  }

  // Conv
  // ------------------------------------------------------------------------------------------------------------
  static void conv2d(Context& context, ConvGeometry const& g, float const* x, float const* w,
                     float const* bias, float* y) {
    auto& plan = context.convolution(g, cuda::Pass::forward, math);
    if (!plan.exists()) return cuda::direct_conv2d<cuda::Stream>(context, g, x, w, bias, y);
    run(context, plan, {writable(x), writable(w), y});
    if (bias == nullptr) return;
    SampleGrid const all{1, g.n * g.out_h() * g.out_w(), g.out};
    Base::for_each(context, all.grid(), functional::Accumulate{}, all.full(y), all.per_channel(bias));
  }
  static void conv2d_gradient_input(Context& context, ConvGeometry const& g, float const* dy, float const* w,
                                    float* dx) {
    auto& plan = context.convolution(g, cuda::Pass::gradient_input, math);
    if (!plan.exists()) return cuda::direct_conv2d_gradient_input<cuda::Stream>(context, g, dy, w, dx);
    add(context, g.n * g.h * g.w * g.in, dx,
        [&](void* fresh) { run(context, plan, {fresh, writable(w), writable(dy)}); });
  }
  static void conv2d_gradient_weight(Context& context, ConvGeometry const& g, float const* x, float const* dy,
                                     float* dw) {
    auto& plan = context.convolution(g, cuda::Pass::gradient_weight, math);
    if (!plan.exists()) return cuda::direct_conv2d_gradient_weight<cuda::Stream>(context, g, x, dy, dw);
    add(context, g.out * g.depth(), dw,
        [&](void* fresh) { run(context, plan, {writable(x), fresh, writable(dy)}); });
  }

 private:
  [[nodiscard]] static std::size_t bytes(Index size) {
    return static_cast<std::size_t>(size) * sizeof(float);
  }
  [[nodiscard]] static void* writable(float const* data) { return const_cast<float*>(data); }

  /// Whether both batch extents are crossed in one stride.
  [[nodiscard]] static bool joins(Gemm<float> const& g) {
    auto const dense = [&](auto const& m) { return m.outer_stride == m.inner_stride * g.batch_inner; };
    return g.batch_outer == 1 || (dense(g.a) && dense(g.b) && dense(g.c));
  }
  static void multiply(Context& context, Gemm<float> const& g) {
    cuda::Product const& product = context.product(g, math);
    auto const workspace = product.workspace() > 0 ? context.allocate(product.workspace()) : nullptr;
    product.run(context.blas(), context.stream(), g, workspace.get());
  }
  static void run(Context& context, cuda::Convolution& plan, cuda::ConvData const& data) {
    plan.run(context.stream(), data, [&](std::size_t size) { return context.allocate(size); });
  }
  /// into += what `write` writes to memory of its own. cuDNN's plans could add themselves, but not all of
  /// them, and those that try many times to be measured must not.
  template <class Write>
  static void add(Context& context, Index size, float* into, Write const& write) {
    auto const memory = context.allocate(bytes(size));
    auto* const fresh = static_cast<float*>(memory.get());
    write(fresh);
    SampleGrid const all{1, 1, size};
    Base::for_each(context, all.grid(), functional::Accumulate{}, all.full(into), all.full(fresh));
  }
};

static_assert(Recordable<Cuda<float>> && Recordable<Cuda<cuda::TF32>>);

}  // namespace diffsiam::backend
