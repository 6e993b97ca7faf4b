// broadcast_to repeats a value along axes, and the arithmetic on two values of unequal shapes uses it. The
// rule is that of numpy and PyTorch: axes are aligned from the right, and an axis of extent 1, or one that is
// missing, is repeated.
#pragma once

#include <algorithm>

#include <diffsiam/concepts/operation.hpp>
#include <diffsiam/config.hpp>
#include <diffsiam/core/strided.hpp>
#include <diffsiam/functional/arithmetic.hpp>
#include <diffsiam/tensor/pass.hpp>

namespace diffsiam::ops {

/// A small tensor on the grid of a large one, along whose axes it is repeated where its own extent is 1.
class Repetition {
 public:
  /// `small` must be broadcastable to `large`.
  DIFFSIAM_OUT_OF_LINE Repetition(Shape const& small, Shape const& large) {
    Index full_stride = 1, stride = 1;
    for (int back = 1; back <= large.rank(); ++back) {
      auto const axis = static_cast<std::size_t>(5 - back);
      Index const extent = back <= small.rank() ? small[-back] : 1;
      grid_.extent[axis] = large[-back];
      full_[axis] = full_stride;
      small_[axis] = extent == 1 ? 0 : stride;
      full_stride *= large[-back];
      stride *= extent;
    }
    full_[4] = 1;
    repeats_rows_ = grid_.extent[4] != 1 && small_[4] == 0;
    small_[4] = repeats_rows_ ? 0 : 1;
  }

  [[nodiscard]] Grid const& grid() const& { return grid_; }
  [[nodiscard]] Grid grid() const&& { return grid_; }
  /// The large tensor.
  template <class T>
  [[nodiscard]] Operand<T, 1> full(T* data) const {
    return {data, full_};
  }
  /// Calls f(operand) for the small one.
  template <class T, class F>
  void with_repeated(T* data, F&& f) const {
    if (repeats_rows_)
      f(Operand<T, 0>{data, small_});
    else
      f(Operand<T, 1>{data, small_});
  }

 private:
  Grid grid_;
  Extents5 full_{}, small_{};
  bool repeats_rows_ = false;
};

/// The shape of an operation on values of shapes x and y. Throws ShapeError, in the name of `operation`,
/// where an axis has two extents that differ and neither is 1.
[[nodiscard]] DIFFSIAM_OUT_OF_LINE inline Shape broadcast_shape(std::string_view operation, Shape const& x,
                                                                Shape const& y) {
  Shape result = x.rank() < y.rank() ? y : x;
  for (int back = 1; back <= std::min(x.rank(), y.rank()); ++back) {
    if (x[-back] != y[-back] && x[-back] != 1 && y[-back] != 1)
      fail<ShapeError>(operation, {x, ", or extents of 1, which are repeated"}, y,
                       "axes are aligned from the right; (n, 1) has one number for each of n samples");
    result = result.with_extent(result.rank() - back, x[-back] == 1 ? y[-back] : x[-back]);
  }
  return result;
}

/// y = x, repeated to `to`. Inputs are x, and perhaps a value whose reading is used.
struct BroadcastTo {
  static constexpr std::string_view name = "broadcast_to";
  static constexpr InputList keeps_inputs{};
  Shape to;

  [[nodiscard]] Shape shape(Shapes in) const {
    if (in[0].rank() > to.rank() || broadcast_shape(name, to, in[0]) != to)
      fail<ShapeError>(name, {"a shape that can be repeated to ", to}, in[0]);
    return to;
  }
  [[nodiscard]] double flops(Shapes) const { return 0; }

  template <class B>
  void forward(Forward<B> const& pass) const {
    rematerialize(pass);
  }
  template <class B>
  void rematerialize(Forward<B> const& pass) const {
    Repetition const r{pass.in[0].shape(), to};
    r.with_repeated(pass.in[0].data(), [&](auto const& x) {
      B::for_each(pass.context, r.grid(), functional::Copy{}, r.full(pass.out.data()), x);
    });
  }
  template <class B>
  void backward(Backward<B> const& pass) const {
    Repetition const r{pass.in[0].shape(), to};
    if (auto* dx = pass.gradient(0)) {
      r.with_repeated(dx->data(), [&](auto const& gradient) {
        B::sum(pass.context, r.grid(), functional::Itself{}, gradient, r.full(pass.dy.data()));
      });
    }
  }
};

/// x repeated to `shape`: (d) or (n, 1) -> (n, d). Throws ShapeError unless it can be.
template <FlowingValue X>
auto broadcast_to(X const& x, Shape const& shape) {
  return evaluate(BroadcastTo{shape}, x);
}

namespace detail {

/// x repeated to `shape`; a parameter becomes a value as `beside` is one.
template <Value X, Value Y>
auto repeated(X const& x, Shape const& shape, [[maybe_unused]] Y const& beside) {
  if constexpr (FlowingValue<X>) {
    return x.shape() == shape ? x : broadcast_to(x, shape);
  } else {
    return evaluate(BroadcastTo{shape}, x, beside);
  }
}

}  // namespace detail

/// Applies an element-wise operation to two values, repeated to one shape if theirs differ. `written` is the
/// name of the operation in errors.
template <class Op, Value X, Value Y>
auto evaluate_broadcast(std::string_view written, Op const& op, X const& x, Y const& y) {
  if (x.shape() == y.shape()) return evaluate(op, x, y);
  Shape const shape = broadcast_shape(written, x.shape(), y.shape());
  return evaluate(op, detail::repeated(x, shape, y), detail::repeated(y, shape, x));
}

}  // namespace diffsiam::ops
