// Sequential: modules one after the other, as a flat tuple of types. SiluLayer and ReluLayer can be placed
// between them.
#pragma once

#include <string>
#include <tuple>
#include <utility>

#include <diffsiam/nn/module.hpp>
#include <diffsiam/ops/activation.hpp>

namespace diffsiam::nn {

/// y = silu(x), in the shape of x.
struct SiluLayer {
  template <FlowingValue X>
  [[nodiscard]] auto operator()(X const& x) const {
    return ops::silu(x);
  }
  template <class F>
  void for_each_child(F&&) const {}
  template <class F>
  void for_each_setting(F&& f) const {
    f("activation", "silu");
  }
};
/// y = max(x, 0), in the shape of x.
struct ReluLayer {
  template <FlowingValue X>
  [[nodiscard]] auto operator()(X const& x) const {
    return ops::relu(x);
  }
  template <class F>
  void for_each_child(F&&) const {}
  template <class F>
  void for_each_setting(F&& f) const {
    f("activation", "relu");
  }
};

/// x -> last(...(first(x))). Children are named by their position, from 0.
template <class... Layers>
class Sequential {
 public:
  using Backend = typename std::tuple_element_t<0, std::tuple<Layers...>>::Backend;

  /// Takes the layers over. The first one must name its `Backend`.
  explicit Sequential(Layers... layers) : layers_(std::move(layers)...) {}

  template <FlowingValue X>
  [[nodiscard]] auto operator()(X const& x) const {
    return apply_from<0>(x);
  }

  template <class F>
  void for_each_child(F&& f) const {
    [&]<std::size_t... I>(std::index_sequence<I...>) {
      (f(ChildName{text({I})}, std::get<I>(layers_)), ...);
    }(std::index_sequence_for<Layers...>{});
  }

 private:
  template <std::size_t I, class X>
  [[nodiscard]] auto apply_from(X const& x) const {
    if constexpr (I + 1 == sizeof...(Layers))
      return std::get<I>(layers_)(x);
    else
      return apply_from<I + 1>(std::get<I>(layers_)(x));
  }

  std::tuple<Layers...> layers_;
};

}  // namespace diffsiam::nn
