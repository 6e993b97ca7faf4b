// Mixed precision of the Cpu backend: activations and the operands of convolutions are bfloat16, all else is
// float32.
#pragma once

#include <cstddef>
#include <type_traits>

#include <diffsiam/backend/cpu/conv2d.hpp>
#include <diffsiam/backend/cpu/conv2d_gradient_weight.hpp>
#include <diffsiam/backend/cpu/group_norm.hpp>
#include <diffsiam/backend/cpu/pixels_gradient_weight.hpp>
#include <diffsiam/backend/cpu/stored_elementwise.hpp>
#include <diffsiam/backend/cpu/winograd_conv2d.hpp>
#include <diffsiam/backend/cpu/winograd_gradient_weight.hpp>
#include <diffsiam/core/half.hpp>

namespace diffsiam::backend {

template <class T, class Operands>
struct Cpu;

namespace cpu {

/// An operand that is in full.
template <class T, int Inner>
[[nodiscard]] Operand<T, Inner> in_full(Operand<T, Inner> const& operand) {
  return operand;
}
template <class T, class C, int Inner>
[[nodiscard]] Operand<T, Inner> in_full(Operand<Stored<T, C>, Inner> const& operand) {
  return {operand.data.full, operand.stride};
}

}  // namespace cpu

/// T is float. Large activations stay in memory as BFloat16 (Compact; which do, the operations say), and so
/// do operands of 3x3 convolutions at stride 1 where they are multiplied. Weights, gradients, sums,
/// statistics and all other operations are float32. Results are the same bits with any number of threads.
template <class T>
struct Cpu<T, BFloat16> : Cpu<T, T> {
  static_assert(std::is_same_v<T, float>, "Cpu computes with operands in BFloat16 in float.");
  using Full = Cpu<T, T>;
  using typename Full::Context;
  using Compact = BFloat16;
  using Read = Stored<T const, Compact const>;
  using Written = Stored<T, Compact>;
  /// How far results may stand from those of unrounded operands, relative to the largest. Winograd's
  /// transforms make about five times bfloat16's own rounding of 2^-9 of it.
  static constexpr double operand_tolerance = 3e-2;

  static void fill(Context& context, Written const& data, Index size, T value) {
    if (data.compact == nullptr) return Full::fill(context, data.full, size, value);
    std::fill_n(data.compact, size, BFloat16(value));
  }
  static void copy(Context& context, Read const& from, Written const& to, Index size) {
    if (!is_compact(from) && !is_compact(to)) return Full::copy(context, from.full, to.full, size);
    Full::in_pieces(context, size, [&](Index start, Index count) {
      if (!is_compact(to))
        cpu::widen(from.compact + start, count, to.full + start);
      else if (is_compact(from))
        std::copy_n(from.compact + start, count, to.compact + start);
      else
        cpu::narrow(from.full + start, count, to.compact + start);
    });
  }

  // Winograd's algorithm where it serves, direct sums elsewhere, of operands in bfloat16 where the image is
  // and pairs of them can be made.
  static void conv2d(Context& context, ConvGeometry const& g, Read const& x, T const* w, T const* bias,
                     Written const& y) {
    auto const convolve = [&](auto const* from, auto* to) {
      using X = std::remove_cvref_t<decltype(*from)>;
      if (cpu::winograd::serves<T>(g)) return cpu::winograd::conv2d<Compact>(context, g, from, w, bias, to);
      if (std::is_same_v<X, Compact> && g.in % 2 == 0) return cpu::conv2d<X>(context, g, from, w, bias, to);
      cpu::conv2d<T>(context, g, from, w, bias, to);
    };
    auto const into = [&](auto* to) { is_compact(x) ? convolve(x.compact, to) : convolve(x.full, to); };
    is_compact(y) ? into(y.compact) : into(y.full);
  }
  static void conv2d_gradient_input(Context& context, ConvGeometry const& g, T const* dy, T const* w, T* dx) {
    if (cpu::winograd::serves<T>(g))
      return cpu::winograd::conv2d_gradient_input<Compact>(context, g, dy, w, dx);
    if (pairs_gradients(g)) return cpu::conv2d_gradient_input<Compact>(context, g, dy, w, dx);
    cpu::conv2d_gradient_input<T>(context, g, dy, w, dx);
  }
  static void conv2d_gradient_weight(Context& context, ConvGeometry const& g, Read const& x, T const* dy,
                                     T* dw) {
    auto const add = [&](auto const* from) {
      if (cpu::winograd::serves<T>(g))
        return cpu::winograd::conv2d_gradient_weight<Compact>(context, g, from, dy, dw);
      if (cpu::PixelsCut::serves(g)) return cpu::pixels_gradient_weight(context, g, from, dy, dw);
      cpu::conv2d_gradient_weight(context, g, from, dy, dw);
    };
    is_compact(x) ? add(x.compact) : add(x.full);
  }
  // Of compact images.
  static std::size_t conv2d_workspace(ConvGeometry const& g, int threads) {
    if (cpu::winograd::serves<T>(g)) return cpu::winograd::conv2d_workspace<T, Compact>(g, threads);
    return g.in % 2 == 0 ? cpu::conv2d_workspace<T, Compact>(g, threads, true)
                         : cpu::conv2d_workspace<T>(g, threads, true);
  }
  static std::size_t conv2d_gradient_input_workspace(ConvGeometry const& g, int threads) {
    if (cpu::winograd::serves<T>(g))
      return cpu::winograd::conv2d_workspace<T, Compact>(cpu::turned(g), threads);
    return pairs_gradients(g) ? cpu::conv2d_gradient_input_workspace<T, Compact>(g, threads)
                              : cpu::conv2d_gradient_input_workspace<T>(g, threads);
  }
  static std::size_t conv2d_gradient_weight_workspace(ConvGeometry const& g, int threads) {
    if (cpu::winograd::serves<T>(g))
      return cpu::winograd::conv2d_gradient_weight_workspace<T, Compact>(g, threads);
    return cpu::PixelsCut::serves(g) ? cpu::pixels_gradient_weight_workspace(g, threads)
                                     : cpu::conv2d_gradient_weight_workspace<T, Compact>(g, threads);
  }

  /// x and y are stored alike.
  template <class Act>
  static void group_norm(Context& context, NormGeometry const& g, NormForward<T, Read, Written> const& pass) {
    if (is_compact(pass.x))
      cpu::group_norm<T>(context, g, with(pass, pass.x.compact, pass.y.compact),
                         &cpu::detail::activate_block<Act, T, Compact>);
    else
      Full::template group_norm<Act>(context, g, with(pass, pass.x.full, pass.y.full));
  }
  template <class Act>
  static void group_norm_gradient(Context& context, NormGeometry const& g,
                                  NormBackward<T, Read> const& pass) {
    if (is_compact(pass.x))
      cpu::group_norm_gradient<T>(context, g, with(pass, pass.x.compact),
                                  &cpu::detail::activate_block_gradient<Act, T, Compact>);
    else
      Full::template group_norm_gradient<Act>(context, g, with(pass, pass.x.full));
  }

  template <class F, class... O>
  static void for_each(Context& context, Grid const& grid, F const& f, O const&... operands) {
    if constexpr ((cpu::may_be_compact<O> || ...)) {
      if ((is_compact(operands.data) || ...)) return cpu::for_each_stored(context, grid, f, operands...);
    }
    Full::for_each(context, grid, f, cpu::in_full(operands)...);
  }

 private:
  /// Whether gradients of a direct convolution's output are multiplied in bfloat16: at 1x1, where they come
  /// in pairs.
  [[nodiscard]] static bool pairs_gradients(ConvGeometry const& g) {
    return g.kernel == 1 && g.stride == 1 && g.out % 2 == 0;
  }
  template <class X>
  [[nodiscard]] static NormForward<T, X const*, X*> with(NormForward<T, Read, Written> const& pass,
                                                         X const* x, X* y) {
    return {x,
            pass.gamma,
            pass.beta,
            pass.modulation,
            pass.epsilon,
            y,
            pass.mean,
            pass.inverse_deviation,
            pass.scale,
            pass.shift};
  }
  template <class X>
  [[nodiscard]] static NormBackward<T, X const*> with(NormBackward<T, Read> const& pass, X const* x) {
    return {x,          pass.gamma, pass.beta, pass.modulation,   pass.dy,  pass.mean, pass.inverse_deviation,
            pass.scale, pass.shift, pass.dx,   pass.d_modulation, pass.p_1, pass.p_2};
  }
};

}  // namespace diffsiam::backend
