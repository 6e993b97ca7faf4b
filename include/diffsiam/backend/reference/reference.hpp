// Reference: plain loops over any scalar type. It is slow and simple, and it is the specification that every
// other backend is tested against.
#pragma once

#include <algorithm>
#include <vector>

#include <diffsiam/backend/host/context.hpp>
#include <diffsiam/backend/host/memory.hpp>
#include <diffsiam/concepts/declared_options.hpp>
#include <diffsiam/config.hpp>
#include <diffsiam/core/philox.hpp>
#include <diffsiam/core/products.hpp>
#include <diffsiam/core/strided.hpp>
#include <diffsiam/functional/random.hpp>

namespace diffsiam::backend {

/// T is a scalar type, such as float or double.
template <class T>
struct Reference : HostMemory<T> {
  using Scalar = T;
  using Context = HostContext;
  using Brings = Options<Option::host_memory, Option::prepacked_weights, Option::observer>;

  // The Blas group.
  static void gemm(Context&, Gemm<T> const& g) {
    auto const at = [](auto const& matrix, Index outer, Index inner, Index row, Index column) -> auto& {
      Index const r = matrix.transposed ? column : row;
      Index const c = matrix.transposed ? row : column;
      return matrix.data[outer * matrix.outer_stride + inner * matrix.inner_stride + r * matrix.leading + c];
    };
    std::vector<T> b(static_cast<std::size_t>(g.k * g.n)), sums(static_cast<std::size_t>(g.n));
    for (Index outer = 0; outer < g.batch_outer; ++outer)
      for (Index inner = 0; inner < g.batch_inner; ++inner) {
        // B is copied, and j is the innermost loop: the sums are the same, and memory is read in order.
        for (Index k = 0; k < g.k; ++k)
          for (Index j = 0; j < g.n; ++j)
            b[static_cast<std::size_t>(k * g.n + j)] = at(g.b, outer, inner, k, j);
        for (Index i = 0; i < g.m; ++i) {
          std::fill(sums.begin(), sums.end(), T(0));
          for (Index k = 0; k < g.k; ++k)
            add_scaled(sums.data(), at(g.a, outer, inner, i, k), b.data() + k * g.n, g.n);
          for (Index j = 0; j < g.n; ++j) {
            T& c = at(g.c, outer, inner, i, j);
            c = g.alpha * sums[static_cast<std::size_t>(j)] + (g.accumulate ? c : T(0));
          }
        }
      }
  }

  // The Conv group: both gradients are added to what is there.
  static void conv2d(Context&, ConvGeometry const& g, T const* x, T const* w, T const* bias, T* y) {
    for (Index pixel = 0; pixel < g.n * g.out_h() * g.out_w(); ++pixel)
      for (Index o = 0; o < g.out; ++o) y[pixel * g.out + o] = bias == nullptr ? T(0) : bias[o];
    // Weights as (kh, kw, in, out), so that the innermost loop reads memory in order.
    std::vector<T> by_tap(static_cast<std::size_t>(g.depth() * g.out));
    for (Index o = 0; o < g.out; ++o)
      for (Index d = 0; d < g.depth(); ++d)
        by_tap[static_cast<std::size_t>(d * g.out + o)] = w[o * g.depth() + d];
    for_each_tap(g, [&](Index y_pixel, Index x_pixel, Index tap) {
      for (Index i = 0; i < g.in; ++i)
        add_scaled(y + y_pixel * g.out, x[x_pixel * g.in + i], by_tap.data() + (tap * g.in + i) * g.out,
                   g.out);
    });
  }
  static void conv2d_gradient_input(Context&, ConvGeometry const& g, T const* dy, T const* w, T* dx) {
    for_each_tap(g, [&](Index y_pixel, Index x_pixel, Index tap) {
      for (Index o = 0; o < g.out; ++o)
        add_scaled(dx + x_pixel * g.in, dy[y_pixel * g.out + o], w + o * g.depth() + tap * g.in, g.in);
    });
  }
  static void conv2d_gradient_weight(Context&, ConvGeometry const& g, T const* x, T const* dy, T* dw) {
    for_each_tap(g, [&](Index y_pixel, Index x_pixel, Index tap) {
      for (Index o = 0; o < g.out; ++o)
        add_scaled(dw + o * g.depth() + tap * g.in, dy[y_pixel * g.out + o], x + x_pixel * g.in, g.in);
    });
  }

  // The Elementwise group.
  template <class F, class... O>
  static void for_each(Context&, Grid const& grid, F f, O... operands) {
    for_each_index(grid, [&](Extents5 const& index) { f(operands.data[offset(operands, index)]...); });
  }

  // The Reduce group.
  template <class F, class Out, class... O>
  static void sum(Context&, Grid const& grid, F f, Out out, O... operands) {
    for_each_index(grid, [&](Extents5 const& index) {
      out.data[offset(out, index)] += f(operands.data[offset(operands, index)]...);
    });
  }
  static void softmax(Context& context, Index rows, Index columns, T const* x, T* y) {
    log_softmax(context, rows, columns, x, y);
    for (Index i = 0; i < rows * columns; ++i) y[i] = functional::exp(y[i]);
  }
  static void log_softmax(Context&, Index rows, Index columns, T const* x, T* y) {
    for (Index row = 0; row < rows; ++row) {
      T const* const in = x + row * columns;
      T greatest = in[0];
      for (Index j = 1; j < columns; ++j) greatest = functional::max(greatest, in[j]);
      T sum = T(0);
      for (Index j = 0; j < columns; ++j) sum += functional::exp(in[j] - greatest);
      // The largest value is subtracted first, so that a large common offset loses no digits.
      T const log_sum = functional::log(sum);
      for (Index j = 0; j < columns; ++j) y[row * columns + j] = (in[j] - greatest) - log_sum;
    }
  }

  // The Random group.
  static void uniform(Context&, Rng const& rng, T* x, Index size) {
    for (Index i = 0; i < size; ++i) {
      auto const four = functional::uniforms(rng.words(static_cast<std::uint64_t>(i / 4)));
      x[i] = static_cast<T>(four[static_cast<std::size_t>(i % 4)]);
    }
  }
  static void normal(Context&, Rng const& rng, T* x, Index size) {
    for (Index i = 0; i < size; ++i) {
      auto const four = functional::normals(rng.words(static_cast<std::uint64_t>(i / 4)));
      x[i] = static_cast<T>(four[static_cast<std::size_t>(i % 4)]);
    }
  }

 private:
  /// y[j] += a x[j].
  static void add_scaled(T* DIFFSIAM_RESTRICT y, T a, T const* DIFFSIAM_RESTRICT x, Index size) {
    for (Index j = 0; j < size; ++j) y[j] += a * x[j];
  }
  template <class F>
  static void for_each_index(Grid const& grid, F f) {
    Extents5 i{};
    for (i[0] = 0; i[0] < grid.extent[0]; ++i[0])
      for (i[1] = 0; i[1] < grid.extent[1]; ++i[1])
        for (i[2] = 0; i[2] < grid.extent[2]; ++i[2])
          for (i[3] = 0; i[3] < grid.extent[3]; ++i[3])
            for (i[4] = 0; i[4] < grid.extent[4]; ++i[4]) f(i);
  }
  template <class O>
  static Index offset(O const& operand, Extents5 const& index) {
    Index sum = 0;
    for (std::size_t axis = 0; axis < 5; ++axis) sum += operand.stride[axis] * index[axis];
    return sum;
  }
  /// Calls f(output pixel, input pixel, tap) for every element of the kernel that lies inside the image.
  template <class F>
  static void for_each_tap(ConvGeometry const& g, F f) {
    for (Index n = 0; n < g.n; ++n)
      for (Index oh = 0; oh < g.out_h(); ++oh)
        for (Index ow = 0; ow < g.out_w(); ++ow)
          for (Index kh = 0; kh < g.kernel; ++kh)
            for (Index kw = 0; kw < g.kernel; ++kw) {
              Index const h = oh * g.stride + kh - g.padding();
              Index const w = ow * g.stride + kw - g.padding();
              if (h < 0 || h >= g.h || w < 0 || w >= g.w) continue;
              f((n * g.out_h() + oh) * g.out_w() + ow, (n * g.h + h) * g.w + w, kh * g.kernel + kw);
            }
  }
};

static_assert(Backend<Reference<double>> && Backend<Reference<float>>);

}  // namespace diffsiam::backend
