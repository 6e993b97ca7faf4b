// batch_norm: normalises each channel (Ioffe and Szegedy, 2015). In training it uses the mean and variance of
// the batch, in evaluation mode the running statistics. Of a batch in pieces they are those of all pieces.
#pragma once

#include <diffsiam/composed/group_norm.hpp>
#include <diffsiam/concepts/operation.hpp>
#include <diffsiam/config.hpp>
#include <diffsiam/tensor/joint_batch.hpp>
#include <diffsiam/tensor/pass.hpp>

namespace diffsiam::ops {

/// Inputs are x (n, ..., c), gamma (c) and beta (c). In training x must have at least two values for each
/// channel, and the forward pass updates the running statistics (c): the mean, and the variance with Bessel's
/// correction. In evaluation mode they are constants, and no gradient flows through them.
template <class B>
struct BatchNorm {
  using T = typename B::Scalar;
  static constexpr std::string_view name = "batch_norm";
  /// Whether B computes the training mode itself.
  static constexpr bool fused = backend::FusedBatchNorm<B>;
  static constexpr StorageRule storage_rule{
      .inputs = {0}, .native = fused ? StorageRule::Native::all : StorageRule::Native::nothing};
  Tensor<B> running_mean, running_variance;  ///< (c)
  bool training = true;            ///< batch statistics, and new running ones; false: the running statistics
  double momentum = 0.1;           ///< the share of the batch in the next running statistics
  double epsilon = 1e-5;           ///< added to the variance
  JointBatch<B>* joint = nullptr;  ///< the batch of which x is a piece; null: x is all of it

  [[nodiscard]] Shape shape(Shapes in) const {
    Index const c = in[0].channels();
    if (in[0].rank() < 2 || c == 0 || (training && in[0].size() / c < 2)) {
      fail<ShapeError>(name, training ? "(n, ..., c) with at least two values a channel" : "(n, ..., c)",
                       in[0], training ? "a batch of one has no variance" : "");
    }
    require_shape(name, {c}, in[1], "gamma has one value per channel");
    require_shape(name, {c}, in[2], "beta has one value per channel");
    require_shape(name, {c}, running_mean.shape(), "running statistics have one value per channel");
    require_shape(name, {c}, running_variance.shape(), "running statistics have one value per channel");
    return in[0];
  }
  [[nodiscard]] double flops(Shapes in) const {
    return (training ? 8.0 : 2.0) * static_cast<double>(in[0].size());
  }

  DIFFSIAM_STEERS void forward(Forward<B> const& pass) const {
    auto const norm = norm_of(pass.context, pass.in[0].shape());
    Tensor<B> const statistics = norm.table(2), affine = norm.table(2);
    pass.save(0, statistics);
    pass.save(1, affine);
    composed::NormForwardOf<B> const into{.x = pass.in[0].storage(),
                                          .gamma = pass.in[1].data(),
                                          .beta = pass.in[2].data(),
                                          .epsilon = epsilon,
                                          .y = pass.out.storage(),
                                          .mean = norm.plane(statistics, 0),
                                          .inverse_deviation = norm.plane(statistics, 1),
                                          .scale = norm.plane(affine, 0),
                                          .shift = norm.plane(affine, 1)};
    if (!training) return fold_and_apply(norm, into, running_mean, running_variance);
    Tensor<B> const variance = norm.table();
    if constexpr (fused) {
      if (joint == nullptr) {
        B::batch_norm(pass.context, geometry(norm), into, variance.data());
        return move_running(norm, into.mean, variance.data());
      }
    }
    Tensor<B> const mean = norm.table();
    norm.statistics(pass.in[0].full_precision().data(), mean, variance);
    if (joint != nullptr) join_statistics(pass.context, mean, variance);
    fold_and_apply(norm, into, mean, variance);
    if (joint == nullptr || joint->proposes()) move_running(norm, mean.data(), variance.data());
  }
  void backward(Backward<B> const& pass) const {
    auto const norm = norm_of(pass.context, pass.in[0].shape());
    Tensor<B> const p_1 = norm.table(), p_2 = norm.table();
    auto const data = [&](std::size_t i) { return pass.gradient(i) ? pass.gradient(i)->data() : nullptr; };
    auto const add_to_weights = [&] {
      norm.add_over_samples(p_2, data(1));
      norm.add_over_samples(p_1, data(2));
    };
    auto const* const wanted = pass.gradient(0);
    if constexpr (fused) {
      if (joint == nullptr && training) {
        B::template group_norm_gradient<functional::Identity>(
            pass.context, geometry(norm),
            {.x = pass.in[0].storage(),
             .gamma = pass.in[1].data(),
             .dy = pass.dy.storage(),
             .mean = norm.plane(pass.saved[0], 0),
             .inverse_deviation = norm.plane(pass.saved[0], 1),
             .scale = norm.plane(pass.saved[1], 0),
             .shift = norm.plane(pass.saved[1], 1),
             .dx = wanted != nullptr ? wanted->storage() : backend::WrittenBy<B>{nullptr},
             .p_1 = p_1.data(),
             .p_2 = p_2.data()});
        return add_to_weights();
      }
    }
    Tensor<B> const x = pass.in[0].full_precision(), dy = pass.dy.full_precision();
    bool const narrows = wanted != nullptr && wanted->is_low_precision();
    Tensor<B> const dx = narrows ? pass.zeros(x.shape()) : wanted != nullptr ? *wanted : Tensor<B>{};
    NormBackward<T> const gradients{.x = x.data(),
                                    .gamma = pass.in[1].data(),
                                    .mean = norm.plane(pass.saved[0], 0),
                                    .inverse_deviation = norm.plane(pass.saved[0], 1),
                                    .scale = norm.plane(pass.saved[1], 0),
                                    .dx = dx.data(),
                                    .p_1 = p_1.data(),
                                    .p_2 = p_2.data()};
    norm.sums(dy.data(), gradients);
    add_to_weights();
    // Their means are those over all pieces, whose samples are as many as those of this one.
    if (joint != nullptr && training)
      for (Tensor<B> const& sums : {p_1, p_2}) join_mean(pass.context, sums);
    norm.add_input_gradient(dy.data(), gradients, training);
    if (narrows) wanted->assign(dx);
  }

 private:
  /// A batch norm is a group norm of one sample that holds the whole batch, with one channel in each group.
  [[nodiscard]] static composed::ComposedNorm<B> norm_of(typename B::Context& context, Shape const& x) {
    return {context, SampleGrid{1, x.size() / x.channels(), x.channels()}, x.channels()};
  }
  [[nodiscard]] static NormGeometry geometry(composed::ComposedNorm<B> const& norm) {
    return {norm.x_grid.n, norm.x_grid.s, norm.x_grid.c, norm.groups};
  }
  [[nodiscard]] Index pieces() const { return joint == nullptr ? 1 : joint->pieces(); }
  /// What the pieces have in place of `mine`, a sample for each.
  [[nodiscard]] Tensor<B> gathered(typename B::Context& context, Tensor<B> const& mine) const {
    Tensor<B> const all{context, {pieces(), mine.size()}};
    joint->gather(mine, all);
    return all;
  }
  /// Replaces `mine` by the mean over pieces.
  void join_mean(typename B::Context& context, Tensor<B> const& mine) const {
    mean_over_pieces(context, gathered(context, mine), mine);
  }
  static void mean_over_pieces(typename B::Context& context, Tensor<B> const& all, Tensor<B> const& mean) {
    SampleGrid const g{1, all.shape().samples(), mean.size()};
    mean.fill(T(0));
    B::sum(context, g.grid(), functional::Scaled<T>{T(1) / static_cast<T>(g.s)}, g.per_channel(mean.data()),
           g.full(all.data()));
  }
  /// The variance over all pieces is the mean of theirs, plus the variance of their means.
  void join_statistics(typename B::Context& context, Tensor<B> const& mean, Tensor<B> const& variance) const {
    Tensor<B> const means = gathered(context, mean), spread = variance.clone();
    join_mean(context, variance);
    composed::ComposedNorm<B> const over_pieces{context, SampleGrid{1, means.shape().samples(), mean.size()},
                                                mean.size()};
    over_pieces.statistics(means.data(), mean, spread);
    SampleGrid const c{1, 1, mean.size()};
    B::for_each(context, c.grid(), functional::Accumulate{}, c.full(variance.data()), c.full(spread.data()));
  }
  /// Moves the running statistics by those of the batch, `mean` and `variance` (c).
  void move_running(composed::ComposedNorm<B> const& norm, T const* mean, T const* variance) const {
    SampleGrid const t = norm.table_grid();
    auto const count = static_cast<double>(norm.x_grid.s * pieces());
    B::for_each(norm.context, t.grid(), functional::RunningAverage<T>{static_cast<T>(momentum), T(1)},
                t.full(running_mean.data()), t.full(mean));
    B::for_each(norm.context, t.grid(),
                functional::RunningAverage<T>{static_cast<T>(momentum), static_cast<T>(count / (count - 1))},
                t.full(running_variance.data()), t.full(variance));
  }
  static void fold_and_apply(composed::ComposedNorm<B> const& norm, composed::NormForwardOf<B> const& pass,
                             Tensor<B> const& mean, Tensor<B> const& variance) {
    norm.fold(mean, variance, with_images(pass, static_cast<T const*>(nullptr), static_cast<T*>(nullptr)));
    norm.template apply<functional::Identity>(pass.x, pass.scale, pass.shift, pass.y);
  }
};

}  // namespace diffsiam::ops
