// transpose exchanges the last two axes. Products need none: matmul reads its matrices transposed.
#pragma once

#include <diffsiam/concepts/operation.hpp>
#include <diffsiam/config.hpp>
#include <diffsiam/core/strided.hpp>
#include <diffsiam/functional/arithmetic.hpp>
#include <diffsiam/tensor/pass.hpp>

namespace diffsiam::ops {

/// x (..., rows, columns) -> (..., columns, rows).
struct Transpose {
  static constexpr std::string_view name = "transpose";
  static constexpr InputList keeps_inputs{};

  [[nodiscard]] Shape shape(Shapes in) const {
    int const rank = in[0].rank();
    if (rank < 2) fail<ShapeError>(name, "(..., rows, columns)", in[0]);
    return in[0].with_extent(rank - 2, in[0][-1]).with_extent(rank - 1, in[0][-2]);
  }
  [[nodiscard]] double flops(Shapes) const { return 0; }

  template <class B>
  void forward(Forward<B> const& pass) const {
    move(pass.out, pass.in[0], [&](Grid const& grid, auto const& y, auto const& x) {
      B::for_each(pass.context, grid, functional::Copy{}, y, x);
    });
  }
  template <class B>
  void backward(Backward<B> const& pass) const {
    if (auto* dx = pass.gradient(0)) {
      move(*dx, pass.dy, [&](Grid const& grid, auto const& to, auto const& dy) {
        B::for_each(pass.context, grid, functional::Accumulate{}, to, dy);
      });
    }
  }

 private:
  /// Calls each(grid, to, from) with `from` seen transposed. The last extent of the grid is 1, because `from`
  /// moves along no axis of `to` by single elements.
  template <class B, class Each>
  static void move(Tensor<B> const& to, Tensor<B> const& from, Each const& each) {
    using T = typename B::Scalar;
    Index const rows = to.shape()[-2], columns = to.shape()[-1], size = rows * columns;
    if (size == 0) return;
    each(Grid{{1, to.size() / size, rows, columns, 1}}, Operand<T, 1>{to.data(), {0, size, columns, 1, 1}},
         Operand<T, 1>{from.data(), {0, size, 1, rows, 1}});
  }
};

/// x (..., rows, columns) -> (..., columns, rows). Throws ShapeError for rank 0 and 1.
template <Value X>
auto transpose(X const& x) {
  return evaluate(Transpose{}, x);
}

}  // namespace diffsiam::ops
