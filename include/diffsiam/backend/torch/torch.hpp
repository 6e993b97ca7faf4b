// Torch: memory, products and convolutions of libtorch on CPUs; everything else is computed as Cpu does. For
// programs that have libtorch already. Component torch; libtorch 1.13 or newer.
#pragma once

#include <array>
#include <memory>

#include <ATen/ATen.h>
#include <c10/core/CPUAllocator.h>

#include <diffsiam/backend/cpu/cpu.hpp>

namespace diffsiam::backend {

/// A HostContext whose tensors live in memory of libtorch's allocator. Products and convolutions use the
/// threads of libtorch (at::set_num_threads), the rest those of this context.
class TorchContext : public HostContext {
 public:
  /// As HostContext.
  using HostContext::HostContext;
  [[nodiscard]] static std::shared_ptr<void> allocate(std::size_t bytes) {
    at::Allocator* const allocator = c10::GetCPUAllocator();
    return {allocator->raw_allocate(bytes), allocator->raw_deleter()};
  }
};

namespace torch_detail {

/// A view of memory that is not libtorch's.
inline at::Tensor view(float const* data, at::IntArrayRef extents, at::IntArrayRef strides) {
  return at::from_blob(const_cast<float*>(data), extents, strides, at::TensorOptions().dtype(at::kFloat));
}

/// Pictures (n, h, w, c) as libtorch's (n, c, h, w) in channels-last memory.
inline at::Tensor pictures(float const* data, Index n, Index h, Index w, Index c) {
  return view(data, {n, c, h, w}, {h * w * c, 1, w * c, c});
}
/// The result of a convolution, seen as pictures() are.
inline at::Tensor output(ConvGeometry const& g, float const* y) {
  return pictures(y, g.n, g.out_h(), g.out_w(), g.out);
}
/// Weights (out, kernel, kernel, in) as libtorch's (out, in, kernel, kernel).
inline at::Tensor weights(ConvGeometry const& g, float const* w) {
  return pictures(w, g.out, g.kernel, g.kernel, g.in);
}

/// Matrix (outer, inner) of a batch, (rows, columns), read transposed where `a` says so.
template <class T>
at::Tensor matrix(MatrixView<T> const& a, Index rows, Index columns, Index outer, Index inner) {
  auto const data = a.data + outer * a.outer_stride + inner * a.inner_stride;
  return a.transposed ? view(data, {rows, columns}, {1, a.leading})
                      : view(data, {rows, columns}, {a.leading, 1});
}

/// The gradient of the input or of the weights, whichever of {input, weights, bias} is asked for. It does not
/// depend on the values of that operand, so any tensor of its shape may stand for it.
inline at::Tensor convolution_gradient(ConvGeometry const& g, at::Tensor const& dy, at::Tensor const& x,
                                       at::Tensor const& w, std::array<bool, 3> which) {
  auto const gradients =
      at::convolution_backward(dy, x, w, c10::nullopt, {g.stride, g.stride}, {g.padding(), g.padding()},
                               {1, 1}, false, {0, 0}, 1, which);
  return which[0] ? std::get<0>(gradients) : std::get<1>(gradients);
}

}  // namespace torch_detail

/// The same input gives the same bits with the same number of libtorch's threads.
struct Torch : Cpu<float> {
  using Context = TorchContext;

  static void gemm(Context&, Gemm<float> const& product) {
    at::NoGradGuard const no_grad;
    for (Index outer = 0; outer < product.batch_outer; ++outer)
      for (Index inner = 0; inner < product.batch_inner; ++inner) {
        MatrixView<float> const& to = product.c;
        at::Tensor c = torch_detail::matrix(to, product.m, product.n, outer, inner);
        at::Tensor const a = torch_detail::matrix(product.a, product.m, product.k, outer, inner);
        at::Tensor const b = torch_detail::matrix(product.b, product.k, product.n, outer, inner);
        c.addmm_(a, b, product.accumulate ? 1 : 0, product.alpha);
      }
  }
  static void conv2d(Context&, ConvGeometry const& g, float const* x, float const* w, float const* bias,
                     float* y) {
    at::NoGradGuard const no_grad;
    c10::optional<at::Tensor> const b =
        bias == nullptr ? c10::nullopt : c10::optional<at::Tensor>{torch_detail::view(bias, {g.out}, {1})};
    torch_detail::output(g, y).copy_(at::conv2d(torch_detail::pictures(x, g.n, g.h, g.w, g.in),
                                                torch_detail::weights(g, w), b, g.stride, g.padding()));
  }
  static void conv2d_gradient_input(Context&, ConvGeometry const& g, float const* dy, float const* w,
                                    float* dx) {
    at::NoGradGuard const no_grad;
    at::Tensor const gradient = torch_detail::pictures(dx, g.n, g.h, g.w, g.in);
    gradient.add_(torch_detail::convolution_gradient(g, torch_detail::output(g, dy), gradient,
                                                     torch_detail::weights(g, w), {true, false, false}));
  }
  static void conv2d_gradient_weight(Context&, ConvGeometry const& g, float const* x, float const* dy,
                                     float* dw) {
    at::NoGradGuard const no_grad;
    at::Tensor const gradient = torch_detail::weights(g, dw);
    gradient.add_(torch_detail::convolution_gradient(g, torch_detail::output(g, dy),
                                                     torch_detail::pictures(x, g.n, g.h, g.w, g.in), gradient,
                                                     {false, true, false}));
  }
  // libtorch's workspaces are its own.
  static std::size_t conv2d_workspace(ConvGeometry const&, int) { return 0; }
  static std::size_t conv2d_gradient_input_workspace(ConvGeometry const&, int) { return 0; }
  static std::size_t conv2d_gradient_weight_workspace(ConvGeometry const&, int) { return 0; }
  // These have parameters of type TorchContext, because pointers to them are taken.
  template <class Act>
  static void group_norm(Context& context, NormGeometry const& g, NormForward<float> const& pass) {
    Cpu<float>::group_norm<Act>(context, g, pass);
  }
  template <class Act>
  static void group_norm_gradient(Context& context, NormGeometry const& g, NormBackward<float> const& pass) {
    Cpu<float>::group_norm_gradient<Act>(context, g, pass);
  }
};

static_assert(Backend<Torch>);

}  // namespace diffsiam::backend
