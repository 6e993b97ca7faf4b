// diagonal: the elements of a matrix whose row and column have one number.
#pragma once

#include <diffsiam/concepts/operation.hpp>
#include <diffsiam/core/strided.hpp>
#include <diffsiam/functional/arithmetic.hpp>
#include <diffsiam/tensor/pass.hpp>

namespace diffsiam::ops {

/// y[i] = x[i, i] of a square matrix.
struct Diagonal {
  static constexpr std::string_view name = "diagonal";
  static constexpr InputList keeps_inputs{};

  [[nodiscard]] Shape shape(Shapes in) const {
    if (in[0].rank() != 2 || in[0][0] != in[0][1]) fail<ShapeError>(name, "a square matrix (n, n)", in[0]);
    return {in[0][0]};
  }
  [[nodiscard]] double flops(Shapes) const { return 0; }

  template <class B>
  void forward(Forward<B> const& pass) const {
    B::for_each(pass.context, grid(pass.out), functional::Copy{}, vector(pass.out), of(pass.in[0]));
  }
  template <class B>
  void backward(Backward<B> const& pass) const {
    if (auto* dx = pass.gradient(0))
      B::for_each(pass.context, grid(pass.dy), functional::Accumulate{}, of(*dx), vector(pass.dy));
  }

 private:
  template <class B>
  static Grid grid(Tensor<B> const& y) {
    return {{1, 1, 1, y.size(), 1}};
  }
  template <class B>
  static Operand<typename B::Scalar, 1> vector(Tensor<B> const& y) {
    return {y.data(), {0, 0, 0, 1, 1}};
  }
  template <class B>
  static Operand<typename B::Scalar, 1> of(Tensor<B> const& matrix) {
    return {matrix.data(), {0, 0, 0, matrix.shape()[0] + 1, 1}};
  }
};

/// x (n, n) -> (n): its diagonal. Throws ShapeError unless x is a square matrix.
template <Value X>
auto diagonal(X const& x) {
  return evaluate(Diagonal{}, x);
}

}  // namespace diffsiam::ops
