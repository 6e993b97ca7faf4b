// upsample_nearest: every pixel becomes 2x2. downsample_mean: every 2x2 becomes its mean. Each is the other's
// transpose, up to 4.
#pragma once

#include <type_traits>

#include <diffsiam/concepts/operation.hpp>
#include <diffsiam/core/strided.hpp>
#include <diffsiam/functional/arithmetic.hpp>
#include <diffsiam/tensor/pass.hpp>

namespace diffsiam::ops {

namespace detail {

/// The grid (rows of the small image, 2, columns, 2, channels), on which the small image is repeated.
struct ResampleGrid {
  Index rows, columns, c;

  explicit ResampleGrid(Shape const& small) : rows(small[0] * small[1]), columns(small[2]), c(small[3]) {}
  [[nodiscard]] Grid grid() const { return {{rows, 2, columns, 2, c}}; }
  /// Of a pointer, or of Stored.
  template <class P>
  [[nodiscard]] Operand<std::remove_pointer_t<P>, 1> small(P data) const {
    return {data, {columns * c, 0, c, 0, 1}};
  }
  template <class P>
  [[nodiscard]] Operand<std::remove_pointer_t<P>, 1> large(P data) const {
    return {data, {4 * columns * c, 2 * columns * c, 2 * c, c, 1}};
  }
};

/// Every pixel of the small image becomes `scale` times the sum of its four, for compact images.
template <class B>
void write_sums(typename B::Context& context, ResampleGrid const& g, double scale, Tensor<B> const& large,
                Tensor<B> const& small) {
  using T = typename B::Scalar;
  Index const row = 2 * g.columns * g.c;
  auto const pixels = [&](auto data, Index of_row, Index of_pixel) {
    return Operand<decltype(data), 1>{data, {0, 0, of_row, of_pixel, 1}};
  };
  auto const from = large.stored();
  B::for_each(context, SampleGrid{g.rows, g.columns, g.c}.grid(),
              functional::ScaledSumOfFour<T>{static_cast<T>(scale)}, pixels(small.stored(), row / 2, g.c),
              pixels(from, 2 * row, 2 * g.c), pixels(from + g.c, 2 * row, 2 * g.c),
              pixels(from + row, 2 * row, 2 * g.c), pixels(from + (row + g.c), 2 * row, 2 * g.c));
}

}  // namespace detail

/// (n, h, w, c) -> (n, 2 h, 2 w, c).
struct UpsampleNearest {
  static constexpr std::string_view name = "upsample_nearest";
  static constexpr unsigned keeps_inputs = 0;
  static constexpr CompactRule compact{
      .output = CompactRule::Output::alike, .reads = 0b1, .writes = true, .gradients = true};

  [[nodiscard]] Shape shape(Shapes in) const {
    require_rank(name, 4, in[0], "(n, h, w, c)");
    return {in[0][0], 2 * in[0][1], 2 * in[0][2], in[0][3]};
  }
  [[nodiscard]] double flops(Shapes) const { return 0; }

  template <class B>
  void forward(Forward<B> const& pass) const {
    detail::ResampleGrid const g{pass.in[0].shape()};
    B::for_each(pass.context, g.grid(), functional::Copy{}, g.large(pass.out.stored()),
                g.small(pass.in[0].stored()));
  }
  template <class B>
  void recompute(Forward<B> const& pass) const {
    forward(pass);
  }
  template <class B>
  void backward(Backward<B> const& pass) const {
    detail::ResampleGrid const g{pass.in[0].shape()};
    if (auto* dx = pass.gradient(0)) {
      if constexpr (backend::Compacting<B>)
        if (pass.writes(0)) return detail::write_sums(pass.context, g, 1, pass.dy, *dx);
      B::sum(pass.context, g.grid(), functional::Itself{}, g.small(dx->data()), g.large(pass.dy.data()));
    }
  }
};

/// (n, 2 h, 2 w, c) -> (n, h, w, c).
struct DownsampleMean {
  static constexpr std::string_view name = "downsample_mean";
  static constexpr unsigned keeps_inputs = 0;
  static constexpr CompactRule compact{
      .output = CompactRule::Output::alike, .reads = 0b1, .writes = true, .gradients = true};

  [[nodiscard]] Shape shape(Shapes in) const {
    require_rank(name, 4, in[0], "(n, h, w, c)");
    if (in[0][1] % 2 != 0 || in[0][2] % 2 != 0) {
      fail<ShapeError>(name, "an image with even sides", in[0], "each level of a UNet halves both sides");
    }
    return {in[0][0], in[0][1] / 2, in[0][2] / 2, in[0][3]};
  }
  [[nodiscard]] double flops(Shapes in) const { return static_cast<double>(in[0].size()); }

  template <class B>
  void forward(Forward<B> const& pass) const {
    using T = typename B::Scalar;
    detail::ResampleGrid const g{pass.out.shape()};
    if constexpr (backend::Compacting<B>)
      if (pass.out.is_compact()) return detail::write_sums(pass.context, g, 0.25, pass.in[0], pass.out);
    pass.out.fill(T(0));
    B::sum(pass.context, g.grid(), functional::Scaled<T>{T(0.25)}, g.small(pass.out.data()),
           g.large(pass.in[0].data()));
  }
  template <class B>
  void backward(Backward<B> const& pass) const {
    using T = typename B::Scalar;
    detail::ResampleGrid const g{pass.dy.shape()};
    if (auto* dx = pass.gradient(0)) {
      if constexpr (backend::Compacting<B>)
        if (pass.writes(0))
          return B::for_each(pass.context, g.grid(), functional::Scale<T>{T(0.25)}, g.large(dx->stored()),
                             g.small(pass.dy.stored()));
      B::for_each(pass.context, g.grid(), functional::AccumulateScaled<T>{T(0.25)}, g.large(dx->data()),
                  g.small(pass.dy.data()));
    }
  }
};

template <Value X>
auto upsample_nearest(X const& x) {
  return evaluate(UpsampleNearest{}, x);
}
template <Value X>
auto downsample_mean(X const& x) {
  return evaluate(DownsampleMean{}, x);
}

}  // namespace diffsiam::ops
