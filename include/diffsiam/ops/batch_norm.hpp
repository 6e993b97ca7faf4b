// batch_norm: per channel over the whole batch in training, by running statistics in inference (Ioffe and
// Szegedy, 2015).
#pragma once

#include <diffsiam/composed/normalise.hpp>
#include <diffsiam/concepts/operation.hpp>
#include <diffsiam/config.hpp>
#include <diffsiam/tensor/pass.hpp>

namespace diffsiam::ops {

namespace detail {

/// Batch norm is group norm of one sample that holds the batch, a group a channel.
template <class B>
[[nodiscard]] composed::Normalise<B> batch_normaliser(typename B::Context& context, Shape const& x) {
  return {context, SampleGrid{1, x.size() / x.channels(), x.channels()}, x.channels()};
}

/// The output, and what is saved for the gradients.
template <class B>
void batch_norm_by(Forward<B> const& pass, Tensor<B> const& mean, Tensor<B> const& variance, double epsilon) {
  auto const normalise = batch_normaliser<B>(pass.context, pass.in[0].shape());
  Tensor<B> const statistics = normalise.table(2), affine = normalise.table(2);
  normalise.fold(mean, variance,
                 {.gamma = pass.in[1].data(),
                  .beta = pass.in[2].data(),
                  .epsilon = epsilon,
                  .mean = normalise.plane(statistics, 0),
                  .inverse_deviation = normalise.plane(statistics, 1),
                  .scale = normalise.plane(affine, 0),
                  .shift = normalise.plane(affine, 1)});
  normalise.template apply<functional::Identity>(pass.in[0].data(), normalise.plane(affine, 0),
                                                 normalise.plane(affine, 1), pass.out.data());
  pass.save(0, statistics);
  pass.save(1, affine);
}

/// Of x, gamma and beta; statistics that are constants let no gradient through.
template <class B>
void batch_norm_gradients(Backward<B> const& pass, bool through_statistics) {
  auto const normalise = batch_normaliser<B>(pass.context, pass.in[0].shape());
  Tensor<B> const p_1 = normalise.table(), p_2 = normalise.table();
  auto const data = [&](std::size_t i) { return pass.gradient(i) ? pass.gradient(i)->data() : nullptr; };
  NormBackward<typename B::Scalar> const gradients{.x = pass.in[0].data(),
                                                   .gamma = pass.in[1].data(),
                                                   .mean = normalise.plane(pass.saved[0], 0),
                                                   .inverse_deviation = normalise.plane(pass.saved[0], 1),
                                                   .scale = normalise.plane(pass.saved[1], 0),
                                                   .dx = data(0),
                                                   .p_1 = p_1.data(),
                                                   .p_2 = p_2.data()};
  normalise.sums(pass.dy.data(), gradients);
  normalise.add_over_samples(p_2, data(1));
  normalise.add_over_samples(p_1, data(2));
  normalise.add_input_gradient(pass.dy.data(), gradients, through_statistics);
}

}  // namespace detail

/// Inputs x (n, ..., c) with at least two values a channel, gamma (c), beta (c). Moves the running statistics
/// (c) it is given: mean, and variance with Bessel's correction.
template <class B>
struct BatchNormTraining {
  static constexpr std::string_view name = "batch_norm";
  static constexpr StorageRule storage_rule{.inputs = {0}};
  Tensor<B> running_mean, running_variance;
  double momentum = 0.1;
  double epsilon = 1e-5;

  [[nodiscard]] Shape shape(Shapes in) const {
    Index const c = in[0].channels();
    if (in[0].rank() < 2 || c == 0 || in[0].size() / c < 2) {
      fail<ShapeError>(name, "(n, ..., c) with at least two values a channel", in[0],
                       "a batch of one has no variance");
    }
    require_shape(name, {c}, in[1], "gamma has one value per channel");
    require_shape(name, {c}, in[2], "beta has one value per channel");
    require_shape(name, {c}, running_mean.shape(), "running statistics have one value per channel");
    require_shape(name, {c}, running_variance.shape(), "running statistics have one value per channel");
    return in[0];
  }
  [[nodiscard]] double flops(Shapes in) const { return 8.0 * static_cast<double>(in[0].size()); }

  DIFFSIAM_STEERS void forward(Forward<B> const& pass) const {
    using T = typename B::Scalar;
    auto const normalise = detail::batch_normaliser<B>(pass.context, pass.in[0].shape());
    Tensor<B> const mean = normalise.table(), variance = normalise.table();
    normalise.statistics(pass.in[0].data(), mean, variance);
    detail::batch_norm_by(pass, mean, variance, epsilon);
    SampleGrid const t = normalise.table_grid();
    auto const count = static_cast<double>(normalise.x_grid.s);
    B::for_each(pass.context, t.grid(), functional::RunningAverage<T>{static_cast<T>(momentum), T(1)},
                t.full(running_mean.data()), t.full(mean.data()));
    B::for_each(pass.context, t.grid(),
                functional::RunningAverage<T>{static_cast<T>(momentum), static_cast<T>(count / (count - 1))},
                t.full(running_variance.data()), t.full(variance.data()));
  }
  void backward(Backward<B> const& pass) const { detail::batch_norm_gradients(pass, true); }
};

/// Inputs x (n, ..., c), gamma (c), beta (c); statistics (c) are constants.
template <class B>
struct BatchNormInference {
  static constexpr std::string_view name = "batch_norm";
  static constexpr StorageRule storage_rule{.inputs = {0}};
  Tensor<B> running_mean, running_variance;
  double epsilon = 1e-5;

  [[nodiscard]] Shape shape(Shapes in) const {
    Index const c = in[0].channels();
    if (in[0].rank() < 2 || c == 0) fail<ShapeError>(name, "(n, ..., c)", in[0]);
    require_shape(name, {c}, in[1], "gamma has one value per channel");
    require_shape(name, {c}, in[2], "beta has one value per channel");
    require_shape(name, {c}, running_mean.shape(), "running statistics have one value per channel");
    require_shape(name, {c}, running_variance.shape(), "running statistics have one value per channel");
    return in[0];
  }
  [[nodiscard]] double flops(Shapes in) const { return 2.0 * static_cast<double>(in[0].size()); }

  DIFFSIAM_STEERS void forward(Forward<B> const& pass) const {
    detail::batch_norm_by(pass, running_mean, running_variance, epsilon);
  }
  void backward(Backward<B> const& pass) const { detail::batch_norm_gradients(pass, false); }
};

}  // namespace diffsiam::ops
