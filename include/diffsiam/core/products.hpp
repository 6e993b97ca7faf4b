// A matrix product and a convolution as plain data: what operations pass to backends.
#pragma once

#include <diffsiam/core/shape.hpp>

namespace diffsiam {

/// A row-major matrix in memory, perhaps read transposed; `leading`, its leading dimension, is the number of
/// elements from one stored row to the next.
template <class T>
struct MatrixView {
  T* data = nullptr;  ///< the first element
  Index leading = 0;
  bool transposed = false;  ///< whether op(X) is X transposed
  /// From one matrix of a batch to the next, along the two batch extents.
  Index outer_stride = 0, inner_stride = 0;
};

/// C (m, n) = alpha op(A) (m, k) op(B) (k, n), added to C where `accumulate`, for every member of the batch.
/// `a` is A, and `b` is B.
template <class T>
struct Gemm {
  Index m = 0, n = 0, k = 0;
  MatrixView<T const> a, b;
  MatrixView<T> c;  ///< never transposed
  T alpha = T(1);
  bool accumulate = false;
  Index batch_outer = 1, batch_inner = 1;  ///< the batch is batch_outer * batch_inner matrices
};

/// A square-kernel convolution in NHWC; weights are (out, kernel, kernel, in), padding is (kernel - 1) / 2.
struct ConvGeometry {
  /// The batch, height, width and channels of the input, and the channels of the output.
  Index n = 0, h = 0, w = 0, in = 0, out = 0;
  /// The side of the kernel, which is odd, and the step between outputs, in pixels.
  Index kernel = 3, stride = 1;

  /// Pixels on each side, filled with zeros.
  [[nodiscard]] constexpr Index padding() const { return (kernel - 1) / 2; }
  /// Height of the output.
  [[nodiscard]] constexpr Index out_h() const { return (h + 2 * padding() - kernel) / stride + 1; }
  /// Width of the output.
  [[nodiscard]] constexpr Index out_w() const { return (w + 2 * padding() - kernel) / stride + 1; }
  /// Number of inputs that one output depends on: kernel * kernel * in.
  [[nodiscard]] constexpr Index depth() const { return kernel * kernel * in; }
};

}  // namespace diffsiam
