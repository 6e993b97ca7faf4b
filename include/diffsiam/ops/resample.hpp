// upsample_nearest makes 2x2 pixels of every pixel. downsample_mean makes one pixel, their mean, of every 2x2
// pixels. Each is the transpose of the other, except for a factor of 4.
#pragma once

#include <type_traits>

#include <diffsiam/concepts/operation.hpp>
#include <diffsiam/core/strided.hpp>
#include <diffsiam/functional/arithmetic.hpp>
#include <diffsiam/tensor/pass.hpp>

namespace diffsiam::ops {

namespace detail {

/// The grid (rows of the small image, 2, columns, 2, channels), on which each pixel of the small image is
/// repeated four times.
struct ResampleGrid {
  Index rows, columns, c;

  explicit ResampleGrid(Shape const& small) : rows(small[0] * small[1]), columns(small[2]), c(small[3]) {}
  [[nodiscard]] Grid grid() const { return {{rows, 2, columns, 2, c}}; }
  /// `data` is a pointer or a MixedPointer.
  template <class P>
  [[nodiscard]] Operand<std::remove_pointer_t<P>, 1> small(P data) const {
    return {data, {columns * c, 0, c, 0, 1}};
  }
  template <class P>
  [[nodiscard]] Operand<std::remove_pointer_t<P>, 1> large(P data) const {
    return {data, {4 * columns * c, 2 * columns * c, 2 * c, c, 1}};
  }
};

/// Adds to every pixel of the small image `summand` of its four pixels in the large image.
template <class B, class F, class Large, class T>
void add_sums(typename B::Context& context, ResampleGrid const& g, F summand, Large large, T* small) {
  B::sum(context, g.grid(), summand, g.small(small), g.large(large));
}
/// The same, but pixels in low precision are overwritten instead.
template <class B, class F, class Large, class T, class S>
void add_sums(typename B::Context& context, ResampleGrid const& g, F summand, Large const& large,
              MixedPointer<T, S> const& small) {
  if (!is_low_precision(small)) return add_sums<B>(context, g, summand, large.full, small.full);
  Index const row = 2 * g.columns * g.c;
  auto const pixels = [](auto data, Index of_row, Index of_pixel) {
    return Operand<decltype(data), 1>{data, {0, 0, of_row, of_pixel, 1}};
  };
  B::for_each(context, SampleGrid{g.rows, g.columns, g.c}.grid(), functional::SumOfFour<F>{summand},
              pixels(small, row / 2, g.c), pixels(large, 2 * row, 2 * g.c),
              pixels(large + g.c, 2 * row, 2 * g.c), pixels(large + row, 2 * row, 2 * g.c),
              pixels(large + (row + g.c), 2 * row, 2 * g.c));
}

}  // namespace detail

/// (n, h, w, c) -> (n, 2 h, 2 w, c).
struct UpsampleNearest {
  static constexpr std::string_view name = "upsample_nearest";
  static constexpr InputList keeps_inputs{};
  static constexpr StorageRule storage_rule{.inputs = {0}, .native = StorageRule::Native::all};

  [[nodiscard]] Shape shape(Shapes in) const {
    require_rank(name, 4, in[0], "(n, h, w, c)");
    return {in[0][0], 2 * in[0][1], 2 * in[0][2], in[0][3]};
  }
  [[nodiscard]] double flops(Shapes) const { return 0; }

  template <class B>
  void forward(Forward<B> const& pass) const {
    detail::ResampleGrid const g{pass.in[0].shape()};
    B::for_each(pass.context, g.grid(), functional::Copy{}, g.large(pass.out.storage()),
                g.small(pass.in[0].storage()));
  }
  template <class B>
  void rematerialize(Forward<B> const& pass) const {
    forward(pass);
  }
  template <class B>
  void backward(Backward<B> const& pass) const {
    detail::ResampleGrid const g{pass.in[0].shape()};
    if (auto* dx = pass.gradient(0))
      detail::add_sums<B>(pass.context, g, functional::Itself{}, pass.dy.storage(), dx->storage());
  }
};

/// (n, 2 h, 2 w, c) -> (n, h, w, c).
struct DownsampleMean {
  static constexpr std::string_view name = "downsample_mean";
  static constexpr InputList keeps_inputs{};
  static constexpr StorageRule storage_rule{.inputs = {0}, .native = StorageRule::Native::all};

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
    if (!pass.out.is_low_precision()) pass.out.fill(T(0));
    detail::add_sums<B>(pass.context, g, functional::Scaled<T>{T(0.25)}, pass.in[0].storage(),
                        pass.out.storage());
  }
  template <class B>
  void backward(Backward<B> const& pass) const {
    using T = typename B::Scalar;
    detail::ResampleGrid const g{pass.dy.shape()};
    if (auto* dx = pass.gradient(0))
      pass.accumulate(g.grid(), functional::AccumulateScaled<T>{T(0.25)}, g.large(dx->storage()),
                      g.small(pass.dy.storage()));
  }
};

/// (n, h, w, c) -> (n, 2 h, 2 w, c). Throws ShapeError unless x has rank 4.
template <Value X>
auto upsample_nearest(X const& x) {
  return evaluate(UpsampleNearest{}, x);
}
/// (n, 2 h, 2 w, c) -> (n, h, w, c). Throws ShapeError for other ranks and for odd sides.
template <Value X>
auto downsample_mean(X const& x) {
  return evaluate(DownsampleMean{}, x);
}

}  // namespace diffsiam::ops
