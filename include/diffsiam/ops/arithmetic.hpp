// Sums, differences, products and multiples of values, as functions and as the operators +, - and *. Both
// values have the same shape, otherwise the functions throw ShapeError.
#pragma once

#include <diffsiam/concepts/operation.hpp>
#include <diffsiam/core/strided.hpp>
#include <diffsiam/functional/arithmetic.hpp>
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

/// y = factor x.
struct Scale {
  static constexpr std::string_view name = "scale";
  static constexpr InputList keeps_inputs{};
  double factor = 1;

  [[nodiscard]] Shape shape(Shapes in) const { return in[0]; }
  [[nodiscard]] double flops(Shapes in) const { return static_cast<double>(in[0].size()); }

  template <class B>
  void forward(Forward<B> const& pass) const {
    using T = typename B::Scalar;
    SampleGrid const all{1, 1, pass.out.size()};
    B::for_each(pass.context, all.grid(), functional::Scale<T>{static_cast<T>(factor)},
                all.full(pass.out.data()), all.full(pass.in[0].data()));
  }
  template <class B>
  void backward(Backward<B> const& pass) const {
    using T = typename B::Scalar;
    SampleGrid const all{1, 1, pass.dy.size()};
    if (auto* dx = pass.gradient(0)) {
      B::for_each(pass.context, all.grid(), functional::AccumulateScaled<T>{static_cast<T>(factor)},
                  all.full(dx->data()), all.full(pass.dy.data()));
    }
  }
};

/// y = x_0 x_1, element by element. A factor of shape (n) multiplies each sample by one number.
struct Multiply {
  static constexpr std::string_view name = "multiply";

  [[nodiscard]] Shape shape(Shapes in) const {
    if (!per_sample(in))
      require_shape(name, in[0], in[1], "the factor has the same shape, or (n) for one value a sample");
    return in[0];
  }
  [[nodiscard]] double flops(Shapes in) const { return static_cast<double>(in[0].size()); }

  template <class B>
  void forward(Forward<B> const& pass) const {
    SampleGrid const g = grid(pass.in);
    with_factor(pass.in, pass.in[1].data(), [&](auto factor) {
      B::for_each(pass.context, g.grid(), functional::Multiply{}, g.full(pass.out.data()),
                  g.full(pass.in[0].data()), factor);
    });
  }
  template <class B>
  void backward(Backward<B> const& pass) const {
    SampleGrid const g = grid(pass.in);
    if (auto* dx = pass.gradient(0)) {
      with_factor(pass.in, pass.in[1].data(), [&](auto factor) {
        B::for_each(pass.context, g.grid(), functional::MultiplyAccumulate{}, g.full(dx->data()),
                    g.full(pass.dy.data()), factor);
      });
    }
    if (auto* df = pass.gradient(1)) {
      with_factor(pass.in, df->data(), [&](auto factor) {
        B::sum(pass.context, g.grid(), functional::Product{}, factor, g.full(pass.dy.data()),
               g.full(pass.in[0].data()));
      });
    }
  }

 private:
  [[nodiscard]] static bool per_sample(Shapes in) {
    return in[0].rank() > 1 && in[1] == Shape{in[0].samples()};
  }
  template <class B>
  [[nodiscard]] static SampleGrid grid(std::span<Tensor<B> const> in) {
    return {in[0].shape().samples(), 1, in[0].size() / std::max<Index>(1, in[0].shape().samples())};
  }
  template <class B, class T, class F>
  static void with_factor(std::span<Tensor<B> const> in, T* data, F f) {
    SampleGrid const g = grid(in);
    if (per_sample(std::array{in[0].shape(), in[1].shape()}))
      f(g.per_sample(data));
    else
      f(g.full(data));
  }
};

/// x + y.
template <Value X, Value Y>
auto add(X const& x, Y const& y) {
  return evaluate(LinearCombination{1, 1}, x, y);
}
/// x - y.
template <Value X, Value Y>
auto subtract(X const& x, Y const& y) {
  return evaluate(LinearCombination{1, -1}, x, y);
}
/// a x + b y.
template <Value X, Value Y>
auto linear_combination(double a, X const& x, double b, Y const& y) {
  return evaluate(LinearCombination{a, b}, x, y);
}
/// factor x.
template <Value X>
auto scale(X const& x, double factor) {
  return evaluate(Scale{factor}, x);
}
/// x times factor, element by element. A factor of shape (n) multiplies each sample by one number.
template <Value X, Value Y>
auto multiply(X const& x, Y const& factor) {
  return evaluate(Multiply{}, x, factor);
}

}  // namespace diffsiam::ops

namespace diffsiam {

template <FlowingValue X, FlowingValue Y>
auto operator+(X const& x, Y const& y) {
  return ops::add(x, y);
}
template <FlowingValue X, FlowingValue Y>
auto operator-(X const& x, Y const& y) {
  return ops::subtract(x, y);
}
template <FlowingValue X, FlowingValue Y>
auto operator*(X const& x, Y const& y) {
  return ops::multiply(x, y);
}
template <FlowingValue X>
auto operator*(double factor, X const& x) {
  return ops::scale(x, factor);
}

}  // namespace diffsiam
