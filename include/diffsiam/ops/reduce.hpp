// sum and mean, of all elements or along one axis.
#pragma once

#include <diffsiam/concepts/operation.hpp>
#include <diffsiam/config.hpp>
#include <diffsiam/core/strided.hpp>
#include <diffsiam/functional/arithmetic.hpp>
#include <diffsiam/ops/broadcast.hpp>
#include <diffsiam/tensor/pass.hpp>

namespace diffsiam::ops {

/// y = the sum of x, or the mean of x.
struct Total {
  static constexpr std::string_view name = "total";
  static constexpr InputList keeps_inputs{};
  bool mean = false;

  [[nodiscard]] Shape shape(Shapes in) const {
    if (in[0].size() == 0) fail<ShapeError>(mean ? "mean" : "sum", "at least one element", in[0]);
    return {};
  }
  [[nodiscard]] double flops(Shapes in) const { return static_cast<double>(in[0].size()); }

  template <class B>
  DIFFSIAM_STEERS void forward(Forward<B> const& pass) const {
    using T = typename B::Scalar;
    SampleGrid const all{1, 1, pass.in[0].size()};
    pass.out.fill(T(0));
    B::sum(pass.context, all.grid(), functional::Scaled<T>{factor<T>(pass.in[0].size())},
           all.once(pass.out.data()), all.full(pass.in[0].data()));
  }
  template <class B>
  void backward(Backward<B> const& pass) const {
    using T = typename B::Scalar;
    SampleGrid const all{1, 1, pass.in[0].size()};
    if (auto* dx = pass.gradient(0)) {
      B::for_each(pass.context, all.grid(), functional::AccumulateScaled<T>{factor<T>(pass.in[0].size())},
                  all.full(dx->data()), all.once(pass.dy.data()));
    }
  }

 private:
  template <class T>
  [[nodiscard]] T factor(Index size) const {
    return mean ? T(1) / static_cast<T>(size) : T(1);
  }
};

/// The sum or the mean of x along one axis.
struct AxisTotal {
  static constexpr std::string_view name = "axis_total";
  static constexpr InputList keeps_inputs{};
  bool mean = false;      ///< divides by the extent of the axis
  int axis = 0;           ///< in [-rank, rank); negative ones count from the back
  bool keepdims = false;  ///< the axis stays, with extent 1

  [[nodiscard]] Shape shape(Shapes in) const {
    int const rank = in[0].rank();
    if (axis < -rank || axis >= rank)
      fail<ShapeError>(written(), {"an axis of ", in[0]}, axis, "negative axes count from the back");
    if (in[0][axis] == 0) fail<ShapeError>(written(), {"at least one element along axis ", axis}, in[0]);
    return keepdims ? summed(in[0]) : in[0].without_axis(from_front(rank));
  }
  [[nodiscard]] double flops(Shapes in) const { return static_cast<double>(in[0].size()); }

  template <class B>
  DIFFSIAM_STEERS void forward(Forward<B> const& pass) const {
    using T = typename B::Scalar;
    Shape const& x = pass.in[0].shape();
    Repetition const r{summed(x), x};
    pass.out.fill(T(0));
    r.with_repeated(pass.out.data(), [&](auto const& y) {
      B::sum(pass.context, r.grid(), functional::Scaled<T>{factor<T>(x)}, y, r.full(pass.in[0].data()));
    });
  }
  template <class B>
  void backward(Backward<B> const& pass) const {
    using T = typename B::Scalar;
    Shape const& x = pass.in[0].shape();
    Repetition const r{summed(x), x};
    if (auto* dx = pass.gradient(0)) {
      r.with_repeated(pass.dy.data(), [&](auto const& dy) {
        B::for_each(pass.context, r.grid(), functional::AccumulateScaled<T>{factor<T>(x)}, r.full(dx->data()),
                    dy);
      });
    }
  }

 private:
  [[nodiscard]] char const* written() const { return mean ? "mean" : "sum"; }
  [[nodiscard]] int from_front(int rank) const { return axis < 0 ? axis + rank : axis; }
  [[nodiscard]] Shape summed(Shape const& x) const { return x.with_extent(from_front(x.rank()), 1); }
  template <class T>
  [[nodiscard]] T factor(Shape const& x) const {
    return mean ? T(1) / static_cast<T>(x[axis]) : T(1);
  }
};

/// What happens to an axis that is summed.
struct AxisOptions {
  bool keepdims = false;  ///< the axis stays, with extent 1, so that the result meets x again: x - mean(x, 1)
};

/// The sum of all elements: rank 0. Throws ShapeError if there are none.
template <Value X>
auto sum(X const& x) {
  return evaluate(Total{false}, x);
}
/// The mean of all elements: rank 0. Throws ShapeError if there are none.
template <Value X>
auto mean(X const& x) {
  return evaluate(Total{true}, x);
}
/// The sum along `axis`, where negative axes count from the back: x (n, d), axis 0 -> (d), or (1, d) with
/// keepdims. Throws ShapeError if there is no such axis or nothing along it.
template <Value X>
auto sum(X const& x, int axis, AxisOptions options = {}) {
  return evaluate(AxisTotal{false, axis, options.keepdims}, x);
}
/// The mean along `axis`, with the same rules.
template <Value X>
auto mean(X const& x, int axis, AxisOptions options = {}) {
  return evaluate(AxisTotal{true, axis, options.keepdims}, x);
}

}  // namespace diffsiam::ops
