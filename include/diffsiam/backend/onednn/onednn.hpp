// OneDnn: the Cpu backend, but with large products and some convolutions from oneDNN: those for which
// Winograd's algorithm is not used (see routes.hpp).
#pragma once

#include <type_traits>

#include <diffsiam/backend/cpu/cpu.hpp>
#include <diffsiam/backend/onednn/conv2d.hpp>
#include <diffsiam/backend/onednn/gemm.hpp>
#include <diffsiam/backend/onednn/routes.hpp>

namespace diffsiam::backend {

/// T is float; Operands is as in Cpu, for the convolutions that Cpu computes. Cpu also computes all other
/// operations. The same input gives the same bits with any number of threads.
template <class T, class Operands = T>
struct OneDnn : Cpu<T> {
  static_assert(std::is_same_v<T, float>, "OneDnn computes in float; take Cpu<double> for double.");
  /// The backend that computes the rest.
  using Base = Cpu<T, Operands>;
  using Context = OneDnnContext;
  static constexpr double operand_tolerance = std::is_same_v<T, Operands> ? 0 : 3e-2;
  using Brings = typename Cpu<T>::Brings::template With<Option::gemm_workspace>;

  static void gemm(Context& context, Gemm<T> const& product) {
    if (!onednn::gemm(context, product)) Base::gemm(context, product);
  }
  static std::size_t gemm_workspace(Gemm<T> const& product, int threads) {
    return onednn::gemm_workspace(product, threads);
  }
  static void conv2d(Context& context, ConvGeometry const& g, T const* x, T const* w, T const* bias, T* y) {
    if (onednn::forward_serves(g)) return onednn::conv2d(context, g, x, w, bias, y);
    Base::conv2d(context, g, x, w, bias, y);
  }
  static void conv2d_gradient_input(Context& context, ConvGeometry const& g, T const* dy, T const* w, T* dx) {
    if (onednn::gradient_input_serves(g)) return onednn::conv2d_gradient_input(context, g, dy, w, dx);
    Base::conv2d_gradient_input(context, g, dy, w, dx);
  }
  static void conv2d_gradient_weight(Context& context, ConvGeometry const& g, T const* x, T const* dy,
                                     T* dw) {
    if (onednn::gradient_weight_serves(g)) return onednn::conv2d_gradient_weight(context, g, x, dy, dw);
    Base::conv2d_gradient_weight(context, g, x, dy, dw);
  }
  // These have parameters of type OneDnnContext, because pointers to them are taken.
  template <class Act>
  static void group_norm(Context& context, NormGeometry const& g, NormForward<T> const& pass) {
    Cpu<T>::template group_norm<Act>(context, g, pass);
  }
  template <class Act>
  static void group_norm_gradient(Context& context, NormGeometry const& g, NormBackward<T> const& pass) {
    Cpu<T>::template group_norm_gradient<Act>(context, g, pass);
  }
  // The larger one of the workspaces with and without a bias.
  static std::size_t conv2d_workspace(ConvGeometry const& g, int threads) {
    if (!onednn::forward_serves(g)) return Base::conv2d_workspace(g, threads);
    return onednn::workspace("conv2d", g, onednn::Pass::forward_bias, threads);
  }
  static std::size_t conv2d_gradient_input_workspace(ConvGeometry const& g, int threads) {
    if (!onednn::gradient_input_serves(g)) return Base::conv2d_gradient_input_workspace(g, threads);
    return onednn::workspace("conv2d_gradient_input", g, onednn::Pass::gradient_input, threads);
  }
  static std::size_t conv2d_gradient_weight_workspace(ConvGeometry const& g, int threads) {
    if (!onednn::gradient_weight_serves(g)) return Base::conv2d_gradient_weight_workspace(g, threads);
    return onednn::workspace("conv2d_gradient_weight", g, onednn::Pass::gradient_weight, threads);
  }
};

static_assert(Backend<OneDnn<float>> && Backend<OneDnn<float, BFloat16>>);

}  // namespace diffsiam::backend
