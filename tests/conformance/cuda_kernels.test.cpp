// The kernels of the Cuda backend, without a GPU: stepped through on the host. Products are the
// specification's.
#include <tests/conformance/check.hpp>

#include <diffsiam/backend/cuda/kernels/conv2d.hpp>
#include <diffsiam/backend/cuda/kernels/kernels.hpp>
#include <diffsiam/testing/stepped_device.hpp>

namespace diffsiam::test {

namespace {

template <class T>
struct Stepped : backend::Reference<T> {
  using Device = testing::SteppedDevice;
  using Kernels = backend::cuda::Kernels<T, Device>;
  using Context = Device::Context;

  static void fill(Context& context, T* data, Index size, T value) {
    Kernels::fill(context, data, size, value);
  }
  static void conv2d(Context& context, ConvGeometry const& g, T const* x, T const* w, T const* bias, T* y) {
    backend::cuda::direct_conv2d<Device>(context, g, x, w, bias, y);
  }
  static void conv2d_gradient_input(Context& context, ConvGeometry const& g, T const* dy, T const* w, T* dx) {
    backend::cuda::direct_conv2d_gradient_input<Device>(context, g, dy, w, dx);
  }
  static void conv2d_gradient_weight(Context& context, ConvGeometry const& g, T const* x, T const* dy,
                                     T* dw) {
    backend::cuda::direct_conv2d_gradient_weight<Device>(context, g, x, dy, dw);
  }
  template <class Act>
  static void group_norm(Context& context, NormGeometry const& g, NormForward<T> const& pass) {
    Kernels::template group_norm<Act>(context, g, pass);
  }
  template <class Act>
  static void group_norm_gradient(Context& context, NormGeometry const& g, NormBackward<T> const& pass) {
    Kernels::template group_norm_gradient<Act>(context, g, pass);
  }
  template <class F, class... O>
  static void for_each(Context& context, Grid const& grid, F const& f, O const&... operands) {
    Kernels::for_each(context, grid, f, operands...);
  }
  template <class F, class Out, class... O>
  static void sum(Context& context, Grid const& grid, F const& f, Out const& out, O const&... operands) {
    Kernels::sum(context, grid, f, out, operands...);
  }
  static void softmax(Context& context, Index rows, Index columns, T const* x, T* y) {
    Kernels::softmax(context, rows, columns, x, y);
  }
  static void log_softmax(Context& context, Index rows, Index columns, T const* x, T* y) {
    Kernels::log_softmax(context, rows, columns, x, y);
  }
  static void uniform(Context& context, Rng const& rng, T* x, Index size) {
    Kernels::uniform(context, rng, x, size);
  }
  static void normal(Context& context, Rng const& rng, T* x, Index size) {
    Kernels::normal(context, rng, x, size);
  }
};

}  // namespace

TEST_CASE("The kernels of the Cuda backend, stepped through on the host, conform to the reference",
          "[conformance]") {
  conforms<Stepped<float>>({{"group_norm"}});
}

}  // namespace diffsiam::test
