// Case: an operation or a module with inputs for tests. The gradient check, the conformance suite and the
// comparison of readings all use the same tables of cases.
#pragma once

#include <array>
#include <string>
#include <tuple>
#include <utility>

#include <diffsiam/nn/module.hpp>
#include <diffsiam/testing/draw.hpp>

namespace diffsiam::testing {

/// An input that gets no gradient: weights of a loss, masks, targets, time-steps.
struct Constant {
  Kind kind;  ///< which numbers it holds
  Shape shape;
};

/// The model of a case that tests an operation: it has no parameters.
struct NoModule {
  template <class F>
  void for_each_child(F&&) const {}
};

/// `make.operator()<B>(context)` builds the model; `call(model, variables..., constants...)` computes the
/// result.
template <class Make, class Call, std::size_t V, std::size_t C>
struct Case {
  std::string name;
  std::array<Shape, V> variables;
  std::array<Constant, C> constants;
  Make make;
  Call call;

  template <class B>
  [[nodiscard]] auto model(typename B::Context& context) const {
    return make.template operator()<B>(context);
  }
  /// The host values of variable i.
  [[nodiscard]] std::vector<double> variable_values(std::size_t i) const {
    return draw(Kind::normal, variables[i], {.seed = 11, .stream = static_cast<std::uint32_t>(i)});
  }
  /// The host values of constant i.
  [[nodiscard]] std::vector<double> constant_values(std::size_t i) const {
    return draw(constants[i].kind, constants[i].shape, {.seed = 13, .stream = static_cast<std::uint32_t>(i)});
  }
  /// The variables as tensors in `context`, with the values of variable_values().
  template <class B>
  [[nodiscard]] std::array<Tensor<B>, V> variable_tensors(typename B::Context& context) const {
    std::array<Tensor<B>, V> tensors;
    for (std::size_t i = 0; i < V; ++i)
      tensors[i] = Tensor<B>::from(context, variables[i], std::span<double const>(variable_values(i)));
    return tensors;
  }
  /// The constants as tensors in `context`, with the values of constant_values().
  template <class B>
  [[nodiscard]] std::array<Tensor<B>, C> constant_tensors(typename B::Context& context) const {
    std::array<Tensor<B>, C> tensors;
    for (std::size_t i = 0; i < C; ++i)
      tensors[i] = Tensor<B>::from(context, constants[i].shape, std::span<double const>(constant_values(i)));
    return tensors;
  }
  /// The case as a function of only its variables. It refers to `model` and `fixed`.
  template <class M, class T>
  [[nodiscard]] auto function(M const& model, std::array<T, C> const& fixed) const {
    return [this, &model, &fixed](auto const&... x) {
      return std::apply([&](auto const&... constant) { return call(model, x..., constant...); }, fixed);
    };
  }
};

namespace detail {

template <class T, std::size_t N, std::size_t... I>
[[nodiscard]] std::array<T, N> to_array(T const (&list)[N], std::index_sequence<I...>) {
  return {list[I]...};
}
template <class T, std::size_t N>
[[nodiscard]] std::array<T, N> to_array(T const (&list)[N]) {
  return to_array(list, std::make_index_sequence<N>{});
}

struct MakeNothing {
  template <class B>
  [[nodiscard]] NoModule operator()(typename B::Context&) const {
    return {};
  }
};

template <class Make, class Call, std::size_t V, std::size_t C>
[[nodiscard]] Case<Make, Call, V, C> make_case(std::string name, std::array<Shape, V> variables,
                                               std::array<Constant, C> constants, Make make, Call call) {
  return {std::move(name), variables, constants, make, call};
}
template <class F>
[[nodiscard]] auto without_model(F f) {
  return [f](NoModule const&, auto const&... x) { return f(x...); };
}

/// The usual call of a module: module(x...).
struct CallModule {
  template <class M, class... X>
  auto operator()(M const& module, X const&... x) const {
    return module(x...);
  }
};

}  // namespace detail

/// A case for an operation f(variables..., constants...):
///   op_case("conv2d", {{2, 5, 4, 3}, {6, 3, 3, 3}},
///           [](auto const& x, auto const& w) { return conv2d(x, w); })
template <std::size_t V, class F>
[[nodiscard]] auto op_case(std::string name, Shape const (&variables)[V], F f) {
  return detail::make_case(std::move(name), detail::to_array(variables), std::array<Constant, 0>{},
                           detail::MakeNothing{}, detail::without_model(f));
}
template <std::size_t V, std::size_t C, class F>
[[nodiscard]] auto op_case(std::string name, Shape const (&variables)[V], Constant const (&constants)[C],
                           F f) {
  return detail::make_case(std::move(name), detail::to_array(variables), detail::to_array(constants),
                           detail::MakeNothing{}, detail::without_model(f));
}
/// A case for an operation without gradients.
template <std::size_t C, class F>
[[nodiscard]] auto constant_case(std::string name, Constant const (&constants)[C], F f) {
  return detail::make_case(std::move(name), std::array<Shape, 0>{}, detail::to_array(constants),
                           detail::MakeNothing{}, detail::without_model(f));
}

/// A case for a module:
/// module_case("Linear", {{3, 4}}, []<class B>(auto& context) { return nn::Linear<B>{context, {4, 5}}; }).
/// Give `call(module, variables..., constants...)` if module(x...) is not the right call.
template <std::size_t V, class Make, class Call = detail::CallModule>
[[nodiscard]] auto module_case(std::string name, Shape const (&variables)[V], Make make, Call call = {}) {
  return detail::make_case(std::move(name), detail::to_array(variables), std::array<Constant, 0>{}, make,
                           call);
}
template <std::size_t V, std::size_t C, class Make, class Call = detail::CallModule>
[[nodiscard]] auto module_case(std::string name, Shape const (&variables)[V], Constant const (&constants)[C],
                               Make make, Call call = {}) {
  return detail::make_case(std::move(name), detail::to_array(variables), detail::to_array(constants), make,
                           call);
}

/// Sets every parameter of `module` to values that depend only on its position and `seed`, and so are the
/// same on every backend.
template <nn::Module M>
void randomise(M const& module, std::uint64_t seed) {
  std::uint32_t stream = 0;
  nn::for_each_leaf(module, [&](nn::LeafName const&, auto const& leaf) {
    if constexpr (requires { leaf.trainable(); })
      leaf.value().assign(
          std::span<double const>(draw_weight(leaf.shape(), {.seed = seed, .stream = stream++})));
  });
}

}  // namespace diffsiam::testing
