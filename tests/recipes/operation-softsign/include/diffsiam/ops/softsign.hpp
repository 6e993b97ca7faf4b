// softsign: y = x / (1 + |x|), element by element (Bergstra et al., 2009).
#pragma once

#include <diffsiam/concepts/operation.hpp>
#include <diffsiam/core/strided.hpp>
#include <diffsiam/tensor/pass.hpp>

namespace diffsiam::ops {

namespace detail {

struct ApplySoftsign {
  template <class T>
  DIFFSIAM_HOST_DEVICE void operator()(T& y, T const& x) const {
    y = x / (T(1) + (x < T(0) ? -x : x));
  }
};
/// dx += dy / (1 + |x|)^2.
struct AddSoftsignGradient {
  template <class T>
  DIFFSIAM_HOST_DEVICE void operator()(T& dx, T const& dy, T const& x) const {
    T const scale = T(1) + (x < T(0) ? -x : x);
    dx += dy / (scale * scale);
  }
};

}  // namespace detail

/// Input x of any shape; y has the same one.
struct Softsign {
  static constexpr std::string_view name = "softsign";

  [[nodiscard]] Shape shape(Shapes in) const { return in[0]; }
  [[nodiscard]] double flops(Shapes in) const { return 3 * static_cast<double>(in[0].size()); }

  template <class B>
  void forward(Forward<B> const& pass) const {
    SampleGrid const all{1, 1, pass.out.size()};
    B::for_each(pass.context, all.grid(), detail::ApplySoftsign{}, all.full(pass.out.data()),
                all.full(pass.in[0].data()));
  }
  template <class B>
  void backward(Backward<B> const& pass) const {
    SampleGrid const all{1, 1, pass.dy.size()};
    if (auto* dx = pass.gradient(0))
      B::for_each(pass.context, all.grid(), detail::AddSoftsignGradient{}, all.full(dx->data()),
                  all.full(pass.dy.data()), all.full(pass.in[0].data()));
  }
};

template <Value X>
auto softsign(X const& x) {
  return evaluate(Softsign{}, x);
}

}  // namespace diffsiam::ops
