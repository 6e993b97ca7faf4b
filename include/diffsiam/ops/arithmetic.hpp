// Sums, differences, products, quotients and multiples of values, as functions and as the operators +, -, *
// and /. Two values have one shape, or are repeated to one (ops/broadcast.hpp); a number beside a value is
// the same for all elements.
#pragma once

#include <type_traits>

#include <diffsiam/concepts/operation.hpp>
#include <diffsiam/core/strided.hpp>
#include <diffsiam/functional/arithmetic.hpp>
#include <diffsiam/ops/broadcast.hpp>
#include <diffsiam/tensor/for_each_element.hpp>
#include <diffsiam/tensor/pass.hpp>

namespace diffsiam::ops {

/// y = a x_0 + b x_1.
struct LinearCombination {
  static constexpr std::string_view name = "linear_combination";
  static constexpr InputList keeps_inputs{};
  static constexpr StorageRule storage_rule{.inputs = {0, 1}, .native = StorageRule::Native::all};
  double a = 1, b = 1;

  [[nodiscard]] Shape shape(Shapes in) const {
    require_shape(name, in[0], in[1], "both terms have one shape");
    return in[0];
  }
  [[nodiscard]] double flops(Shapes in) const { return static_cast<double>(in[0].size()); }

  template <class B>
  void forward(Forward<B> const& pass) const {
    using T = typename B::Scalar;
    SampleGrid const all{1, 1, pass.out.size()};
    B::for_each(pass.context, all.grid(),
                functional::LinearCombination<T>{static_cast<T>(a), static_cast<T>(b)},
                all.full(pass.out.storage()), all.full(pass.in[0].storage()), all.full(pass.in[1].storage()));
  }
  template <class B>
  void backward(Backward<B> const& pass) const {
    using T = typename B::Scalar;
    SampleGrid const all{1, 1, pass.dy.size()};
    for (std::size_t i = 0; i < 2; ++i) {
      auto const factor = static_cast<T>(i == 0 ? a : b);
      if (auto* dx = pass.gradient(i)) {
        if (factor == 1 && pass.hands_on(i)) continue;
        pass.accumulate(all.grid(), functional::AccumulateScaled<T>{factor}, all.full(dx->storage()),
                        all.full(pass.dy.storage()));
      }
    }
  }
};

/// y = factor x + offset.
struct Affine {
  static constexpr std::string_view name = "affine";
  static constexpr InputList keeps_inputs{};
  double factor = 1, offset = 0;

  [[nodiscard]] Shape shape(Shapes in) const { return in[0]; }
  [[nodiscard]] double flops(Shapes in) const { return static_cast<double>(in[0].size()); }

  template <class B>
  void forward(Forward<B> const& pass) const {
    using T = typename B::Scalar;
    for_each_element(pass.context, functional::Affine<T>{static_cast<T>(factor), static_cast<T>(offset)},
                     pass.out, pass.in[0]);
  }
  template <class B>
  void backward(Backward<B> const& pass) const {
    using T = typename B::Scalar;
    if (auto* dx = pass.gradient(0))
      for_each_element(pass.context, functional::AccumulateScaled<T>{static_cast<T>(factor)}, *dx, pass.dy);
  }
};

/// y = x_0 x_1, element by element.
struct Multiply {
  static constexpr std::string_view name = "multiply";

  [[nodiscard]] Shape shape(Shapes in) const {
    require_shape(name, in[0], in[1], "both factors have one shape");
    return in[0];
  }
  [[nodiscard]] double flops(Shapes in) const { return static_cast<double>(in[0].size()); }

  template <class B>
  void forward(Forward<B> const& pass) const {
    for_each_element(pass.context, functional::Multiply{}, pass.out, pass.in[0], pass.in[1]);
  }
  template <class B>
  void backward(Backward<B> const& pass) const {
    for (std::size_t i = 0; i < 2; ++i)
      if (auto* dx = pass.gradient(i))
        for_each_element(pass.context, functional::MultiplyAccumulate{}, *dx, pass.dy, pass.in[1 - i]);
  }
};

/// y = x_0 / x_1, element by element.
struct Divide {
  static constexpr std::string_view name = "divide";
  static constexpr InputList keeps_inputs{1};
  static constexpr bool keeps_output = true;

  [[nodiscard]] Shape shape(Shapes in) const {
    require_shape(name, in[0], in[1], "numerator and denominator have one shape");
    return in[0];
  }
  [[nodiscard]] double flops(Shapes in) const { return static_cast<double>(in[0].size()); }

  template <class B>
  void forward(Forward<B> const& pass) const {
    for_each_element(pass.context, functional::Divide{}, pass.out, pass.in[0], pass.in[1]);
  }
  template <class B>
  void backward(Backward<B> const& pass) const {
    if (auto* above = pass.gradient(0))
      for_each_element(pass.context, functional::DivideAccumulate{}, *above, pass.dy, pass.in[1]);
    if (auto* below = pass.gradient(1))
      for_each_element(pass.context, functional::DenominatorGradient{}, *below, pass.dy, pass.out,
                       pass.in[1]);
  }
};

/// x + y.
template <Value X, Value Y>
auto add(X const& x, Y const& y) {
  return evaluate_broadcast("add", LinearCombination{1, 1}, x, y);
}
/// x - y.
template <Value X, Value Y>
auto subtract(X const& x, Y const& y) {
  return evaluate_broadcast("subtract", LinearCombination{1, -1}, x, y);
}
/// a x + b y.
template <Value X, Value Y>
auto linear_combination(double a, X const& x, double b, Y const& y) {
  return evaluate_broadcast(LinearCombination::name, LinearCombination{a, b}, x, y);
}
/// x y, element by element.
template <Value X, Value Y>
auto multiply(X const& x, Y const& y) {
  return evaluate_broadcast(Multiply::name, Multiply{}, x, y);
}
/// x / y, element by element.
template <Value X, Value Y>
auto divide(X const& x, Y const& y) {
  return evaluate_broadcast(Divide::name, Divide{}, x, y);
}
/// factor x.
template <Value X>
auto scale(X const& x, double factor) {
  return evaluate(Affine{factor}, x);
}
/// factor x + offset.
template <Value X>
auto affine(X const& x, double factor, double offset) {
  return evaluate(Affine{factor, offset}, x);
}
/// numerator / x, element by element.
template <FlowingValue X>
auto divide(double numerator, X const& x) {
  using B = typename X::Backend;
  auto const above = static_cast<typename B::Scalar>(numerator);
  return evaluate(Divide{}, Tensor<B>::filled(x.context(), x.shape(), above), x);
}

/// Two values of an operator: tensors, taped values, or one of them and a parameter.
template <class X, class Y>
concept OperatorPair = Value<X> && Value<Y> && (FlowingValue<X> || FlowingValue<Y>);

/// A number beside a value: it is converted to double, and then to the scalar type of the value.
template <class N>
concept Number = std::is_arithmetic_v<N>;

}  // namespace diffsiam::ops

namespace diffsiam {

/// ops::add(x, y). Throws ShapeError as it does.
template <class X, class Y>
  requires ops::OperatorPair<X, Y>
auto operator+(X const& x, Y const& y) {
  return ops::add(x, y);
}
/// ops::subtract(x, y). Throws ShapeError as it does.
template <class X, class Y>
  requires ops::OperatorPair<X, Y>
auto operator-(X const& x, Y const& y) {
  return ops::subtract(x, y);
}
/// ops::multiply(x, y), element by element. Throws ShapeError as it does.
template <class X, class Y>
  requires ops::OperatorPair<X, Y>
auto operator*(X const& x, Y const& y) {
  return ops::multiply(x, y);
}
/// ops::divide(x, y), element by element. Throws ShapeError as it does.
template <class X, class Y>
  requires ops::OperatorPair<X, Y>
auto operator/(X const& x, Y const& y) {
  return ops::divide(x, y);
}

template <FlowingValue X>
auto operator-(X const& x) {
  return ops::scale(x, -1);
}
template <FlowingValue X, ops::Number N>
auto operator+(X const& x, N number) {
  return ops::affine(x, 1, static_cast<double>(number));
}
template <FlowingValue X, ops::Number N>
auto operator+(N number, X const& x) {
  return ops::affine(x, 1, static_cast<double>(number));
}
template <FlowingValue X, ops::Number N>
auto operator-(X const& x, N number) {
  return ops::affine(x, 1, -static_cast<double>(number));
}
template <FlowingValue X, ops::Number N>
auto operator-(N number, X const& x) {
  return ops::affine(x, -1, static_cast<double>(number));
}
template <FlowingValue X, ops::Number N>
auto operator*(X const& x, N number) {
  return ops::scale(x, static_cast<double>(number));
}
template <FlowingValue X, ops::Number N>
auto operator*(N number, X const& x) {
  return ops::scale(x, static_cast<double>(number));
}
template <FlowingValue X, ops::Number N>
auto operator/(X const& x, N number) {
  return ops::scale(x, 1 / static_cast<double>(number));
}
template <FlowingValue X, ops::Number N>
auto operator/(N number, X const& x) {
  return ops::divide(static_cast<double>(number), x);
}

}  // namespace diffsiam
