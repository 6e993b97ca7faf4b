// weighted_error: the mean over all elements of w_n error(prediction - target). With the weights lambda_t and
// the squared error it is the diffusion loss, with the absolute error the loss of the latent model.
#pragma once

#include <diffsiam/concepts/operation.hpp>
#include <diffsiam/config.hpp>
#include <diffsiam/core/strided.hpp>
#include <diffsiam/functional/error.hpp>
#include <diffsiam/tensor/pass.hpp>

namespace diffsiam::ops {

/// Inputs are prediction (n, ...), target of the same shape, and weights (n). Weights are constants; they get
/// no gradient. The result has rank 0.
template <class Error = functional::SquaredError>
struct WeightedError {
  static constexpr std::string_view name = "weighted_error";

  [[nodiscard]] Shape shape(Shapes in) const {
    require_shape(name, in[0], in[1], "prediction and target have one shape");
    require_shape(name, {in[0].samples()}, in[2], "one weight a sample");
    if (in[0].size() == 0) fail<ShapeError>(name, "at least one element", in[0]);
    return {};
  }
  [[nodiscard]] double flops(Shapes in) const { return 4.0 * static_cast<double>(in[0].size()); }

  template <class B>
  void forward(Forward<B> const& pass) const {
    using T = typename B::Scalar;
    SampleGrid const g = grid(pass.in[0].shape());
    pass.out.fill(T(0));
    B::sum(pass.context, g.grid(),
           functional::WeightedError<Error, T>{T(1) / static_cast<T>(pass.in[0].size())},
           g.once(pass.out.data()), g.full(pass.in[0].data()), g.full(pass.in[1].data()),
           g.per_sample(pass.in[2].data()));
  }
  template <class B>
  DIFFSIAM_STEERS void backward(Backward<B> const& pass) const {
    using T = typename B::Scalar;
    SampleGrid const g = grid(pass.in[0].shape());
    T const share = T(1) / static_cast<T>(pass.in[0].size());
    for (std::size_t i = 0; i < 2; ++i) {
      if (auto* d = pass.gradient(i)) {
        B::for_each(pass.context, g.grid(),
                    functional::WeightedErrorGradient<Error, T>{i == 0 ? share : -share}, g.full(d->data()),
                    g.once(pass.dy.data()), g.full(pass.in[0].data()), g.full(pass.in[1].data()),
                    g.per_sample(pass.in[2].data()));
      }
    }
  }

 private:
  [[nodiscard]] static SampleGrid grid(Shape const& x) {
    return {x.samples(), 1, x.size() / std::max<Index>(1, x.samples())};
  }
};

/// prediction and target (n, ...), weights (n) -> rank 0. Throws ShapeError if shapes do not fit.
template <class Error = functional::SquaredError, Value P, Value Q, class B>
auto weighted_error(P const& prediction, Q const& target, Tensor<B> const& weights) {
  return evaluate(WeightedError<Error>{}, prediction, target, weights);
}

}  // namespace diffsiam::ops
