// samples: copies some samples of a batch, for example one view of two. Plain tensors also have
// Tensor::samples, which copies nothing.
#pragma once

#include <diffsiam/concepts/operation.hpp>
#include <diffsiam/core/strided.hpp>
#include <diffsiam/core/text.hpp>
#include <diffsiam/functional/arithmetic.hpp>
#include <diffsiam/tensor/pass.hpp>

namespace diffsiam::ops {

/// Samples [begin, end) of x (n, ...).
struct Samples {
  static constexpr std::string_view name = "samples";
  static constexpr InputList keeps_inputs{};
  Index begin = 0, end = 0;  ///< 0 <= begin < end <= n

  [[nodiscard]] Shape shape(Shapes in) const {
    if (in[0].rank() == 0 || begin < 0 || end <= begin || end > in[0].samples()) {
      fail<ShapeError>(name, {"samples within ", in[0]}, {begin, " .. ", end});
    }
    return in[0].with_samples(end - begin);
  }
  [[nodiscard]] double flops(Shapes) const { return 0; }

  template <class B>
  void forward(Forward<B> const& pass) const {
    B::copy(pass.context, pass.in[0].data() + offset(pass.out), pass.out.data(), pass.out.size());
  }
  template <class B>
  void backward(Backward<B> const& pass) const {
    SampleGrid const all{1, 1, pass.dy.size()};
    if (auto* dx = pass.gradient(0)) {
      B::for_each(pass.context, all.grid(), functional::Accumulate{}, all.full(dx->data() + offset(pass.dy)),
                  all.full(pass.dy.data()));
    }
  }

 private:
  template <class B>
  [[nodiscard]] Index offset(Tensor<B> const& part) const {
    return begin * (part.size() / part.shape().samples());
  }
};

/// Samples [begin, end) of x (n, ...). Throws ShapeError for an empty range or one outside [0, n].
template <Value X>
auto samples(X const& x, Index begin, Index end) {
  return evaluate(Samples{begin, end}, x);
}

}  // namespace diffsiam::ops
