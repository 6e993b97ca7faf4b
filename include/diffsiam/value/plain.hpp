// The plain reading: an operation on tensors runs at once, and nothing is recorded.
#pragma once

#include <initializer_list>

#include <diffsiam/config.hpp>
#include <diffsiam/value/erased_operation.hpp>
#include <diffsiam/value/parameter.hpp>

namespace diffsiam {

template <class B>
inline constexpr int reading_strength<Tensor<B>> = 1;

namespace detail {

/// The value as a tensor of backend B. A dry run takes weights of its backend as shapes without data.
template <class B>
[[nodiscard]] Tensor<B> const& as_tensor(typename B::Context&, Tensor<B> const& value) {
  return value;  // NOLINT(bugprone-return-const-ref-from-parameter)
}
template <class B, class P>
[[nodiscard]] decltype(auto) as_tensor(typename B::Context& context, Parameter<P> const& parameter) {
  if constexpr (std::is_same_v<B, P>) {
    return parameter.value();
  } else {
    static_assert(backend::Estimating<B>,
                  "The weights of a model and its input must live on the same backend.");
    static_assert(std::is_same_v<typename B::Estimates, P>,
                  "A dry run must be of the backend that the weights live on.");
    return Tensor<B>::borrowed(context, parameter.shape(), nullptr);
  }
}

/// The address of a value that lives until the call ends; it may be a temporary.
template <class B>
[[nodiscard]] Tensor<B> const* address(Tensor<B> const& value) {
  return &value;
}

/// The context of the first tensor or taped value. Parameters may live in another context of the same
/// backend.
template <class First, class... Rest>
[[nodiscard]] auto& context_of(First const& first, Rest const&... rest) {
  if constexpr (FlowingValue<First>) {
    return first.context();
  } else {
    return context_of(rest...);
  }
}

}  // namespace detail

template <class B>
struct Reading<Tensor<B>> {
  template <Operation Op, class... V>
  DIFFSIAM_STEERS static Tensor<B> evaluate(Op const& op, V const&... values) {
    static_assert(sizeof...(V) <= detail::most_inputs, "An operation has at most four inputs.");
    typename B::Context& context = detail::context_of(values...);
    return compute(context, detail::erase<B>(op),
                   {detail::address(detail::as_tensor<B>(context, values))...});
  }

 private:
  [[gnu::noinline]] static Tensor<B> compute(typename B::Context& context,
                                             detail::ErasedOperation<B> const& op,
                                             std::initializer_list<Tensor<B> const*> in) {
    return detail::compute<B>(context, op, detail::Inputs<B>{in}, nullptr);
  }
};

}  // namespace diffsiam
