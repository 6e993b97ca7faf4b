// The plain reading: an operation on tensors runs, and nothing is remembered.
#pragma once

#include <array>
#include <span>
#include <vector>

#include <diffsiam/concepts/operation.hpp>
#include <diffsiam/config.hpp>
#include <diffsiam/tensor/pass.hpp>
#include <diffsiam/value/parameter.hpp>

namespace diffsiam {

template <class B>
inline constexpr int reading_strength<Tensor<B>> = 1;

namespace detail {

/// A tensor of backend B for any value: weights of a backend flow into its dry run as shapes without data.
template <class B>
[[nodiscard]] Tensor<B> const& as_tensor(typename B::Context&, Tensor<B> const& value) {
  return value;
}
template <class B, class P>
[[nodiscard]] Tensor<B> as_tensor(typename B::Context& context, Parameter<P> const& parameter) {
  if constexpr (std::is_same_v<B, P>) {
    return parameter.value();
  } else {
    static_assert(
        requires { typename B::Estimates; },
        "The weights of a model and its input must live on the same backend.");
    static_assert(std::is_same_v<typename B::Estimates, P>,
                  "A dry run must be of the backend that the weights live on.");
    return Tensor<B>::borrowed(context, parameter.shape(), nullptr);
  }
}

/// The context of the first argument that flows; parameters may live in another one of the same backend.
template <class First, class... Rest>
[[nodiscard]] auto& context_of(First const& first, Rest const&... rest) {
  if constexpr (FlowingValue<First>) {
    return first.context();
  } else {
    return context_of(rest...);
  }
}

template <class B, std::size_t N>
[[nodiscard]] std::array<Shape, N> shapes_of(std::array<Tensor<B>, N> const& tensors) {
  std::array<Shape, N> shapes;
  for (std::size_t i = 0; i < N; ++i) shapes[i] = tensors[i].shape();
  return shapes;
}

/// Contexts of dry runs keep accounts; others do not have to.
template <class Op, class Context>
void account(Context& context, Op const& op, Shapes in, double passes) {
  if constexpr (requires { context.count(Op::name, 1.0); }) context.count(Op::name, passes * op.flops(in));
}
template <class Op, class Context, class B>
void account(Context& context, Op const& op, std::span<Tensor<B> const> in, double passes) {
  if constexpr (requires { context.count(Op::name, 1.0); }) {
    std::vector<Shape> shapes;
    for (Tensor<B> const& tensor : in) shapes.push_back(tensor.shape());
    account(context, op, Shapes{shapes}, passes);
  }
}

}  // namespace detail

template <class B>
struct Reading<Tensor<B>> {
  template <Operation Op, class... V>
  DIFFSIAM_STEERS static Tensor<B> evaluate(Op const& op, V const&... values) {
    typename B::Context& context = detail::context_of(values...);
    std::array<Tensor<B>, sizeof...(V)> const in{detail::as_tensor<B>(context, values)...};
    auto const shapes = detail::shapes_of(in);
    Tensor<B> const out{context, op.shape(shapes)};
    detail::account(context, op, shapes, 1);
    op.forward(Forward<B>{context, in, out});
    return out;
  }
};

}  // namespace diffsiam
