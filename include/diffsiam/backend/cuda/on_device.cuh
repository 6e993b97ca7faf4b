// OnDevice: the common part of all Cuda backends: memory, products, and the run of convolutions.
#pragma once

#include <algorithm>
#include <cstddef>
#include <type_traits>
#include <vector>

#include <diffsiam/backend/cuda/alignment.hpp>
#include <diffsiam/backend/cuda/context.hpp>
#include <diffsiam/backend/cuda/kernels/constants.hpp>
#include <diffsiam/backend/cuda/kernels/kernels.hpp>
#include <diffsiam/backend/cuda/launch.cuh>
#include <diffsiam/backend/cuda/pinned_buffer.hpp>
#include <diffsiam/concepts/declared_options.hpp>
#include <diffsiam/core/strided.hpp>
#include <diffsiam/functional/arithmetic.hpp>

namespace diffsiam::backend::cuda {

/// OwnKernels are the library's own kernels on a Stream. `math` is how operands that are float32 in memory
/// are multiplied.
template <class OwnKernels, Math math>
struct OnDevice : OwnKernels {
  using Context = CudaContext;
  using PinnedBuffer = cuda::PinnedBuffer;
  using StagingBuffer = cuda::StagingBuffer;
  using Brings = Options<Option::gemm_with_bias, Option::group_norm, Option::batch_norm, Option::multi_tensor,
                         Option::recording, Option::observer>;
  /// Random bits are those of all backends. Normal numbers differ because of fused multiply-adds: by 2 ulp of
  /// the largest, 5.8.
  static constexpr double normal_tolerance = 2.4e-7;
  /// Memory traffic is what these values cost.
  static constexpr bool keeps_cheap_values = true;

  // The Memory group.
  static void copy(Context& context, float const* from, float* to, Index size) {
    check(cudaMemcpyAsync(to, from, bytes(size), cudaMemcpyDeviceToDevice, context.stream()), "copy");
  }
  /// Returns when the host may change the values; the device may still be at work. While recording, the
  /// values become constants of the launches.
  template <class S>
  static void upload(Context& context, S const* from, float* to, Index size) {
    if constexpr (std::is_same_v<S, float>) {
      context.recording_state().note_upload(from, bytes(size));
      if (context.recording_state().recording()) return write_constants<Stream>(context, from, to, size);
      check(cudaMemcpyAsync(to, from, bytes(size), cudaMemcpyHostToDevice, context.stream()), "upload");
    } else {
      std::vector<float> values(from, from + size);
      upload(context, values.data(), to, size);
    }
  }
  /// Waits until the values have arrived.
  template <class S>
  static void download(Context& context, float const* from, S* to, Index size) {
    if constexpr (std::is_same_v<S, float>) {
      context.recording_state().require_done("download");
      check(cudaMemcpyAsync(to, from, bytes(size), cudaMemcpyDeviceToHost, context.stream()), "download");
      context.synchronise("download");
    } else {
      std::vector<float> values(static_cast<std::size_t>(size));
      download(context, from, values.data(), size);
      std::transform(values.begin(), values.end(), to, [](float value) { return static_cast<S>(value); });
    }
  }

  // The Blas group.
  static void gemm(Context& context, Gemm<float> const& whole) {
    if (whole.m == 0 || whole.n == 0 || whole.batch_outer == 0 || whole.batch_inner == 0) return;
    if (whole.k == 0) return write_empty_sums(context, whole);
    Gemm<float> const product = with_longest_batch_inside(whole);
    TypedGemm one = typed(product);
    for (Index outer = 0; outer < product.batch_outer; ++outer) {
      one.a = typed(product.a, outer);
      one.b = typed(product.b, outer);
      one.c = typed(product.c, outer);
      multiply(context, one);
    }
  }

  /// C = A B + bias, where bias has n values, for one product that does not accumulate. It is one kernel if
  /// cuBLASLt has one.
  static void gemm_with_bias(Context& context, Gemm<float> const& g, float const* bias) {
    if (g.m == 0 || g.n == 0) return;
    TypedGemm whole = typed(g);
    if (g.k > 0 && multiplied_with_bias(context, whole, bias)) return;
    whole.accumulate = true;
    SampleGrid const rows{1, g.m, g.n};
    OwnKernels::for_each(context, rows.grid(), functional::Copy{}, rows.full(g.c.data),
                         rows.per_channel(bias));
    if (g.k > 0) multiply(context, whole);
  }

 protected:
  /// Throws DeviceError if cuBLASLt has no algorithm for this shape.
  static void multiply(Context& context, TypedGemm const& g) {
    if (!multiplied(context, g))
      fail<DeviceError>("gemm", "an algorithm of cuBLASLt", "none", {"m ", g.m, ", n ", g.n, ", k ", g.k});
  }
  /// Multiplies if cuBLASLt has an algorithm for this shape. Otherwise returns false, and does nothing.
  [[nodiscard]] static bool multiplied(Context& context, TypedGemm const& g) {
    Product const& product = context.product(g, math);
    if (!product.exists()) return false;
    auto const workspace = product.workspace() > 0 ? context.allocate(product.workspace()) : nullptr;
    product.run(context.blas(), context.stream(), g, workspace.get());
    return true;
  }
  /// C = A B + bias in one kernel, for a C of float32. Returns false, and does nothing, if there is no such
  /// kernel.
  static bool multiplied_with_bias(Context& context, TypedGemm g, float const* bias) {
    g.bias = bias;
    return bias != nullptr && g.c.element == Element::float32 && alignment_of({bias}) == 16 &&
           multiplied(context, g);
  }
  /// C = A B + added, where `added` is like C. Returns false, and does nothing, if it is aligned otherwise or
  /// there is no such kernel.
  static bool multiplied_onto(Context& context, TypedGemm g, void const* added) {
    bool const aligned = alignment_of({added}, 256) >= g.c.alignment(g.batch);
    g.accumulate = true;
    g.added = added;
    return aligned && multiplied(context, g);
  }
  static void run(Context& context, Convolution& plan, ConvData const& data) {
    plan.run(context.stream(), data, [&](std::size_t size) { return context.allocate(size); });
  }

 private:
  [[nodiscard]] static std::size_t bytes(Index size) {
    return static_cast<std::size_t>(size) * sizeof(float);
  }
  /// The product over k = 0 terms, for which there is no algorithm.
  static void write_empty_sums(Context& context, Gemm<float> const& g) {
    if (g.accumulate) return;
    OwnKernels::for_each(
        context, {{1, g.batch_outer, g.batch_inner, g.m, g.n}}, FillValue<float>{0},
        Operand<float, 1>{g.c.data, {0, g.c.outer_stride, g.c.inner_stride, g.c.leading, 1}});
  }
};

}  // namespace diffsiam::backend::cuda
