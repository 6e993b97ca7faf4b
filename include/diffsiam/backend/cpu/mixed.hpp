// Mixed precision of the Cpu backend: activations and the operands of convolutions are bfloat16, everything
// else is float32.
#pragma once

#include <cstddef>
#include <memory>
#include <type_traits>

#include <diffsiam/backend/cpu/conv2d.hpp>
#include <diffsiam/backend/cpu/conv2d_gradient_weight.hpp>
#include <diffsiam/backend/cpu/group_norm.hpp>
#include <diffsiam/backend/cpu/mixed_elementwise.hpp>
#include <diffsiam/backend/cpu/pixels_gradient_weight.hpp>
#include <diffsiam/backend/cpu/winograd_conv2d.hpp>
#include <diffsiam/backend/cpu/winograd_gradient_weight.hpp>
#include <diffsiam/concepts/declared_options.hpp>
#include <diffsiam/core/half.hpp>
#include <diffsiam/functional/arithmetic.hpp>

namespace diffsiam::backend {

template <class T, class Operands>
struct Cpu;

/// T is float. Large activations and their gradients are stored as BFloat16; the operations decide which.
/// Operands are BFloat16
///   - in 3x3 convolutions at stride 1 that use Winograd's algorithm;
///   - in other convolutions and linear layers of tensors in low precision with an even number of channels.
/// The backward pass of strided convolutions, weights and their gradients, sums, statistics and everything
/// else are float32. The same input gives the same bits with any number of threads.
template <class T>
struct Cpu<T, BFloat16> : Cpu<T, T> {
  static_assert(std::is_same_v<T, float>, "Cpu computes with operands in BFloat16 in float.");
  using Full = Cpu<T, T>;
  using typename Full::Context;
  using Storage = BFloat16;
  using Brings = typename Full::Brings::template With<Option::storage>;
  using Read = MixedPointer<T const, Storage const>;
  using Written = MixedPointer<T, Storage>;
  /// The allowed error of results, relative to the largest one, compared with operands that are not rounded.
  /// Winograd's transforms enlarge the rounding error of bfloat16, 2^-9, about five times.
  static constexpr double operand_tolerance = 3e-2;

  static void fill(Context& context, Written const& data, Index size, T value) {
    if (data.low == nullptr) return Full::fill(context, data.full, size, value);
    std::fill_n(data.low, size, BFloat16(value));
  }
  static void copy(Context& context, Read const& from, Written const& to, Index size) {
    if (!is_low_precision(from) && !is_low_precision(to))
      return Full::copy(context, from.full, to.full, size);
    Full::in_pieces(context, size, [&](Index start, Index count) {
      if (!is_low_precision(to))
        cpu::widen(from.low + start, count, to.full + start);
      else if (is_low_precision(from))
        std::copy_n(from.low + start, count, to.low + start);
      else
        cpu::narrow(from.full + start, count, to.low + start);
    });
  }

  // Winograd's algorithm where it applies, direct sums elsewhere. Their operands are bfloat16 if the image is
  // and if they come in pairs.
  static void conv2d(Context& context, ConvGeometry const& g, Read const& x, T const* w, T const* bias,
                     Written const& y) {
    auto const convolve = [&](auto const* from, auto* to) {
      using X = std::remove_cvref_t<decltype(*from)>;
      if (cpu::winograd::serves<T>(g)) return cpu::winograd::conv2d<Storage>(context, g, from, w, bias, to);
      if (std::is_same_v<X, Storage> && g.in % 2 == 0) return cpu::conv2d<X>(context, g, from, w, bias, to);
      cpu::conv2d<T>(context, g, from, w, bias, to);
    };
    auto const into = [&](auto* to) { is_low_precision(x) ? convolve(x.low, to) : convolve(x.full, to); };
    is_low_precision(y) ? into(y.low) : into(y.full);
  }
  static void conv2d_gradient_input(Context& context, ConvGeometry const& g, Read const& dy, T const* w,
                                    Written const& dx) {
    if (g.stride > 1) return strided_gradient_input(context, g, dy, w, dx);
    auto const convolve = [&](auto const* from, auto* to) {
      if (cpu::winograd::serves<T>(g))
        return cpu::winograd::conv2d_gradient_input<Storage>(context, g, from, w, to);
      if (pairs_gradients(g) && (is_low_precision(dy) || is_low_precision(dx)))
        return cpu::conv2d_gradient_input_unstrided<Storage>(context, g, from, w, to);
      cpu::conv2d_gradient_input_unstrided<T>(context, g, from, w, to);
    };
    auto const into = [&](auto* to) { is_low_precision(dy) ? convolve(dy.low, to) : convolve(dy.full, to); };
    is_low_precision(dx) ? into(dx.low) : into(dx.full);
  }
  static void conv2d_gradient_weight(Context& context, ConvGeometry const& g, Read const& x, Read const& dy,
                                     T* dw) {
    auto const add = [&](auto const* from, auto const* gradient) {
      if (cpu::winograd::serves<T>(g))
        return cpu::winograd::conv2d_gradient_weight<Storage>(context, g, from, gradient, dw);
      if (cpu::PixelsCut::serves(g) && is_low_precision(x))
        return cpu::pixels_gradient_weight(context, g, from, gradient, dw);
      InFull const full{context, gradient, output_elements(g)};
      cpu::conv2d_gradient_weight(context, g, from, full.data, dw);
    };
    auto const of = [&](auto const* from) { is_low_precision(dy) ? add(from, dy.low) : add(from, dy.full); };
    is_low_precision(x) ? of(x.low) : of(x.full);
  }
  // Workspaces for images, outputs and gradients in low precision.
  static std::size_t conv2d_workspace(ConvGeometry const& g, int threads) {
    if (cpu::winograd::serves<T>(g)) return cpu::winograd::conv2d_workspace<T, Storage>(g, threads);
    return g.in % 2 == 0 ? cpu::conv2d_workspace<T, Storage>(g, threads, true)
                         : cpu::conv2d_workspace<T, T, Storage>(g, threads, true);
  }
  static std::size_t conv2d_gradient_input_workspace(ConvGeometry const& g, int threads) {
    if (g.stride > 1)
      return cpu::conv2d_gradient_input_workspace<T>(g, threads) +
             static_cast<std::size_t>(output_elements(g) + input_elements(g)) * sizeof(T);
    ConvGeometry const back = cpu::turned(g);
    if (cpu::winograd::serves<T>(g)) return cpu::winograd::conv2d_workspace<T, Storage>(back, threads);
    return pairs_gradients(g) ? cpu::conv2d_workspace<T, Storage>(back, threads, true)
                              : cpu::conv2d_workspace<T, T, Storage>(back, threads, true);
  }
  static std::size_t conv2d_gradient_weight_workspace(ConvGeometry const& g, int threads) {
    if (cpu::winograd::serves<T>(g))
      return cpu::winograd::conv2d_gradient_weight_workspace<T, Storage>(g, threads);
    if (cpu::PixelsCut::serves(g)) return cpu::pixels_gradient_weight_workspace(g, threads);
    return cpu::conv2d_gradient_weight_workspace<T, Storage>(g, threads) +
           static_cast<std::size_t>(output_elements(g)) * sizeof(T);
  }

  /// x, y and their gradients are all in low precision, or none of them is.
  template <class Act>
  static void group_norm(Context& context, NormGeometry const& g, NormForward<T, Read, Written> const& pass) {
    if (is_low_precision(pass.x))
      cpu::group_norm<T>(context, g, with_images(pass, pass.x.low, pass.y.low),
                         &cpu::detail::activate_block<Act, T, Storage>);
    else
      Full::template group_norm<Act>(context, g, with_images(pass, pass.x.full, pass.y.full));
  }
  template <class Act>
  static void group_norm_gradient(Context& context, NormGeometry const& g,
                                  NormBackward<T, Read, Written> const& pass) {
    if (is_low_precision(pass.x))
      cpu::group_norm_gradient<T>(context, g, with_images(pass, pass.x.low, pass.dy.low, pass.dx.low),
                                  &cpu::detail::activate_block_gradient<Act, T, Storage>);
    else
      Full::template group_norm_gradient<Act>(context, g,
                                              with_images(pass, pass.x.full, pass.dy.full, pass.dx.full));
  }

  template <class F, class... O>
  static void for_each(Context& context, Grid const& grid, F const& f, O const&... operands) {
    if constexpr (std::is_same_v<F, functional::Copy> && (may_be_low_precision<O> && ...)) {
      if ((is_low_precision(operands.data) && ...))
        return cpu::for_each<Storage>(context, grid, f, in_low_precision(operands)...);
    }
    if constexpr ((may_be_low_precision<O> || ...)) {
      if ((is_low_precision(operands.data) || ...)) return cpu::for_each_mixed(context, grid, f, operands...);
    }
    Full::for_each(context, grid, f, in_full_precision(operands)...);
  }
  /// Only contiguous rows whose columns are summed may be in low precision.
  template <class F, class Out, class... O>
  static void sum(Context& context, Grid const& grid, F const& f, Out const& out, O const&... operands) {
    if constexpr (std::is_same_v<F, functional::Itself> && (may_be_low_precision<O> || ...)) {
      auto const rows = [&](auto const& only) {
        if (!is_low_precision(only.data)) return Full::sum(context, grid, f, out, in_full_precision(only));
        Index const columns = grid.extent[4];
        cpu::sum_low_precision_rows(context, grid.size() / columns, columns, only.data.low, out.data);
      };
      rows(operands...);
    } else {
      Full::sum(context, grid, f, out, operands...);
    }
  }

 private:
  /// Whether the gradient of the input of a direct convolution is computed in bfloat16: for 1x1 kernels at
  /// stride 1 with an even number of output channels.
  [[nodiscard]] static bool pairs_gradients(ConvGeometry const& g) {
    return g.kernel == 1 && g.stride == 1 && g.out % 2 == 0;
  }

  [[nodiscard]] static Index input_elements(ConvGeometry const& g) { return g.n * g.h * g.w * g.in; }
  [[nodiscard]] static Index output_elements(ConvGeometry const& g) {
    return g.n * g.out_h() * g.out_w() * g.out;
  }
  /// Values in full precision: the values themselves, or a converted copy.
  struct InFull {
    InFull(Context&, T const* values, Index) : data(values) {}
    InFull(Context& context, Storage const* values, Index size)
        : memory(context.allocate(static_cast<std::size_t>(size) * sizeof(T))),
          data(static_cast<T const*>(memory.get())) {
      copy(context, {nullptr, values}, static_cast<T*>(memory.get()), size);
    }
    std::shared_ptr<void> memory;
    T const* data;
  };
  static void strided_gradient_input(Context& context, ConvGeometry const& g, Read const& dy, T const* w,
                                     Written const& dx) {
    InFull const gradient = is_low_precision(dy) ? InFull{context, dy.low, output_elements(g)}
                                                 : InFull{context, dy.full, output_elements(g)};
    if (!is_low_precision(dx)) return cpu::conv2d_gradient_input<T>(context, g, gradient.data, w, dx.full);
    Index const size = input_elements(g);
    auto const memory = context.allocate(static_cast<std::size_t>(size) * sizeof(T));
    auto* const sums = static_cast<T*>(memory.get());
    Full::fill(context, sums, size, T(0));
    cpu::conv2d_gradient_input<T>(context, g, gradient.data, w, sums);
    copy(context, sums, dx, size);
  }
};

}  // namespace diffsiam::backend
