// Cpu: the default backend, with its own kernels and threads and no other library.
#pragma once

#include <algorithm>
#include <type_traits>

#include <diffsiam/backend/cpu/bf16.hpp>
#include <diffsiam/backend/cpu/conv2d.hpp>
#include <diffsiam/backend/cpu/conv2d_gradient_weight.hpp>
#include <diffsiam/backend/cpu/elementwise.hpp>
#include <diffsiam/backend/cpu/gemm.hpp>
#include <diffsiam/backend/cpu/group_norm.hpp>
#include <diffsiam/backend/cpu/mixed.hpp>
#include <diffsiam/backend/cpu/reduce.hpp>
#include <diffsiam/backend/cpu/winograd_conv2d.hpp>
#include <diffsiam/backend/cpu/winograd_gradient_weight.hpp>
#include <diffsiam/backend/host/context.hpp>
#include <diffsiam/backend/host/memory.hpp>
#include <diffsiam/concepts/declared_options.hpp>
#include <diffsiam/functional/random.hpp>

namespace diffsiam::backend {

/// T is float or double. Operands is T, or BFloat16 (with T = float) for mixed precision: see mixed.hpp. The
/// same input gives the same bits with any number of threads.
template <class T, class Operands = T>
struct Cpu : HostMemory<T> {
  static_assert(std::is_same_v<Operands, T>,
                "Cpu computes in float or double, or in float with operands in BFloat16.");
  using Scalar = T;
  using Context = HostContext;
  using Brings = Options<Option::group_norm, Option::host_memory, Option::conv2d_workspaces,
                         Option::group_norm_workspace, Option::prepacked_weights, Option::observer>;

  static void fill(Context& context, T* data, Index size, T value) {
    in_pieces(context, size, [&](Index from, Index count) { std::fill_n(data + from, count, value); });
  }
  static void copy(Context& context, T const* from, T* to, Index size) {
    in_pieces(context, size, [&](Index start, Index count) { std::copy_n(from + start, count, to + start); });
  }

  static void gemm(Context& context, Gemm<T> const& product) { cpu::gemm(context, product); }

  // Winograd's algorithm where it applies, direct sums elsewhere.
  static void conv2d(Context& context, ConvGeometry const& g, T const* x, T const* w, T const* bias, T* y) {
    if (cpu::winograd::serves<T>(g)) return cpu::winograd::conv2d<Operands>(context, g, x, w, bias, y);
    cpu::conv2d<T>(context, g, x, w, bias, y);
  }
  static void conv2d_gradient_input(Context& context, ConvGeometry const& g, T const* dy, T const* w, T* dx) {
    if (cpu::winograd::serves<T>(g))
      return cpu::winograd::conv2d_gradient_input<Operands>(context, g, dy, w, dx);
    cpu::conv2d_gradient_input<T>(context, g, dy, w, dx);
  }
  static void conv2d_gradient_weight(Context& context, ConvGeometry const& g, T const* x, T const* dy,
                                     T* dw) {
    if (cpu::winograd::serves<T>(g))
      return cpu::winograd::conv2d_gradient_weight<Operands>(context, g, x, dy, dw);
    cpu::conv2d_gradient_weight(context, g, x, dy, dw);
  }
  static std::size_t conv2d_workspace(ConvGeometry const& g, int threads) {
    return cpu::winograd::serves<T>(g) ? cpu::winograd::conv2d_workspace<T, Operands>(g, threads)
                                       : cpu::conv2d_workspace<T>(g, threads);
  }
  static std::size_t conv2d_gradient_input_workspace(ConvGeometry const& g, int threads) {
    return cpu::winograd::serves<T>(g) ? cpu::winograd::conv2d_workspace<T, Operands>(cpu::turned(g), threads)
                                       : cpu::conv2d_gradient_input_workspace<T>(g, threads);
  }
  static std::size_t conv2d_gradient_weight_workspace(ConvGeometry const& g, int threads) {
    return cpu::winograd::serves<T>(g)
               ? cpu::winograd::conv2d_gradient_weight_workspace<T, Operands>(g, threads)
               : cpu::conv2d_gradient_weight_workspace<T>(g, threads);
  }

  template <class Act>
  static void group_norm(Context& context, NormGeometry const& g, NormForward<T> const& pass) {
    cpu::group_norm<T>(context, g, pass, &cpu::detail::activate_block<Act, T>);
  }
  template <class Act>
  static void group_norm_gradient(Context& context, NormGeometry const& g, NormBackward<T> const& pass) {
    cpu::group_norm_gradient<T>(context, g, pass, &cpu::detail::activate_block_gradient<Act, T>);
  }
  static std::size_t group_norm_gradient_workspace(NormGeometry const& g, int threads) {
    return cpu::group_norm_gradient_workspace<T>(g, threads);
  }

  template <class F, class... O>
  static void for_each(Context& context, Grid const& grid, F const& f, O const&... operands) {
    cpu::for_each<T>(context, grid, f, operands...);
  }
  template <class F, class Out, class... O>
  static void sum(Context& context, Grid const& grid, F const& f, Out const& out, O const&... operands) {
    cpu::sum<T>(context, grid, f, out, operands...);
  }
  static void softmax(Context& context, Index rows, Index columns, T const* x, T* y) {
    cpu::softmax<false>(context, rows, columns, x, y);
  }
  static void log_softmax(Context& context, Index rows, Index columns, T const* x, T* y) {
    cpu::softmax<true>(context, rows, columns, x, y);
  }

  static void uniform(Context& context, Rng const& rng, T* x, Index size) {
    in_blocks(context, size, x, [&](std::uint64_t block) { return functional::uniforms(rng.words(block)); });
  }
  static void normal(Context& context, Rng const& rng, T* x, Index size) {
    in_blocks(context, size, x, [&](std::uint64_t block) { return functional::normals(rng.words(block)); });
  }

 protected:
  template <class F>
  static void in_pieces(Context& context, Index size, F f) {
    constexpr Index piece_size = 1 << 16;
    context.threads().run((size + piece_size - 1) / piece_size, [&](Index piece, int) {
      f(piece * piece_size, std::min(piece_size, size - piece * piece_size));
    });
  }

 private:
  /// One Philox block gives four numbers.
  template <class F>
  static void in_blocks(Context& context, Index size, T* x, F f) {
    in_pieces(context, size, [&](Index from, Index count) {
      for (Index i = from; i < from + count; i += 4) {
        auto const four = f(static_cast<std::uint64_t>(i / 4));
        for (Index j = i; j < std::min(i + 4, from + count); ++j)
          x[j] = static_cast<T>(four[static_cast<std::size_t>(j - i)]);
      }
    });
  }
};

static_assert(Backend<Cpu<float>> && Backend<Cpu<double>> && Backend<Cpu<float, BFloat16>>);

}  // namespace diffsiam::backend
