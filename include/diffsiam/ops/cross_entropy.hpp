// softmax_cross_entropy and binary_cross_entropy, both computed from logits. The first is a mean over rows,
// the second a mean over elements.
#pragma once

#include <diffsiam/concepts/operation.hpp>
#include <diffsiam/core/strided.hpp>
#include <diffsiam/functional/arithmetic.hpp>
#include <diffsiam/functional/softmax.hpp>
#include <diffsiam/tensor/pass.hpp>

namespace diffsiam::ops {

/// -1/n times the sum of target log_softmax(logits). Inputs are logits (n, classes) and targets of the same
/// shape: one-hot rows or probabilities. Targets are constants; they get no gradient.
struct SoftmaxCrossEntropy {
  static constexpr std::string_view name = "softmax_cross_entropy";
  static constexpr InputList keeps_inputs{1};

  [[nodiscard]] Shape shape(Shapes in) const {
    require_rank(name, 2, in[0], "(n, classes)");
    require_shape(name, in[0], in[1], "targets are probabilities, one a class");
    if (in[0].size() == 0) fail<ShapeError>(name, "at least one row", in[0]);
    return {};
  }
  [[nodiscard]] double flops(Shapes in) const { return 6.0 * static_cast<double>(in[0].size()); }

  template <class B>
  void forward(Forward<B> const& pass) const {
    using T = typename B::Scalar;
    SampleGrid const g{pass.in[0].shape()};
    Tensor<B> const log_p = pass.scratch(pass.in[0].shape());
    B::log_softmax(pass.context, g.n, g.c, pass.in[0].data(), log_p.data());
    pass.out.fill(T(0));
    B::sum(pass.context, g.grid(), functional::CrossEntropy<T>{T(1) / static_cast<T>(g.n)},
           g.once(pass.out.data()), g.full(pass.in[1].data()), g.full(log_p.data()));
    pass.save(0, log_p);
  }
  template <class B>
  void backward(Backward<B> const& pass) const {
    using T = typename B::Scalar;
    SampleGrid const g{pass.in[0].shape()};
    auto* dx = pass.gradient(0);
    if (dx == nullptr) return;
    Tensor<B> const mass = pass.zeros({g.n});
    B::sum(pass.context, g.grid(), functional::Itself{}, g.per_sample(mass.data()),
           g.full(pass.in[1].data()));
    B::for_each(pass.context, g.grid(), functional::CrossEntropyGradient<T>{T(1) / static_cast<T>(g.n)},
                g.full(dx->data()), g.once(pass.dy.data()), g.full(pass.saved[0].data()),
                g.full(pass.in[1].data()), g.per_sample(mass.data()));
  }
};

/// The mean of softplus(x) - target x over all elements x of the logits. Inputs are logits and targets in
/// [0, 1], both of one shape. Targets are constants; they get no gradient.
struct BinaryCrossEntropy {
  static constexpr std::string_view name = "binary_cross_entropy";

  [[nodiscard]] Shape shape(Shapes in) const {
    require_shape(name, in[0], in[1], "one target a logit");
    if (in[0].size() == 0) fail<ShapeError>(name, "at least one element", in[0]);
    return {};
  }
  [[nodiscard]] double flops(Shapes in) const { return 6.0 * static_cast<double>(in[0].size()); }

  template <class B>
  void forward(Forward<B> const& pass) const {
    using T = typename B::Scalar;
    SampleGrid const all{1, 1, pass.in[0].size()};
    pass.out.fill(T(0));
    B::sum(pass.context, all.grid(), functional::BinaryCrossEntropy<T>{T(1) / static_cast<T>(all.c)},
           all.once(pass.out.data()), all.full(pass.in[0].data()), all.full(pass.in[1].data()));
  }
  template <class B>
  void backward(Backward<B> const& pass) const {
    using T = typename B::Scalar;
    SampleGrid const all{1, 1, pass.in[0].size()};
    if (auto* dx = pass.gradient(0)) {
      B::for_each(pass.context, all.grid(),
                  functional::BinaryCrossEntropyGradient<T>{T(1) / static_cast<T>(all.c)},
                  all.full(dx->data()), all.once(pass.dy.data()), all.full(pass.in[0].data()),
                  all.full(pass.in[1].data()));
    }
  }
};

/// logits and targets (n, classes) -> rank 0, in nats. Throws ShapeError if shapes differ or n is 0.
template <Value X, class B>
auto softmax_cross_entropy(X const& logits, Tensor<B> const& targets) {
  return evaluate(SoftmaxCrossEntropy{}, logits, targets);
}
/// logits and targets of one shape -> rank 0, in nats. Throws ShapeError for other and for empty shapes.
template <Value X, class B>
auto binary_cross_entropy(X const& logits, Tensor<B> const& targets) {
  return evaluate(BinaryCrossEntropy{}, logits, targets);
}

}  // namespace diffsiam::ops
