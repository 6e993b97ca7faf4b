// ComposedNorm: the common part of GroupNorm, LayerNorm and BatchNorm. It computes statistics over positions
// and the channels of a group, an affine map, an optional modulation and an activation. All factors are first
// folded into y = act(a x + d) for each sample and channel, so the image is read twice for the statistics and
// once for the result.
#pragma once

#include <diffsiam/config.hpp>
#include <diffsiam/core/strided.hpp>
#include <diffsiam/functional/activation.hpp>
#include <diffsiam/functional/arithmetic.hpp>
#include <diffsiam/functional/norm.hpp>
#include <diffsiam/tensor/tensor.hpp>

namespace diffsiam::composed {

/// For x (n, s, c) with `groups` groups of channels. Tables are (n, c), like those of NormForward and
/// NormBackward.
template <class B>
struct ComposedNorm {
  using T = typename B::Scalar;
  using Context = typename B::Context;
  Context& context;
  SampleGrid x_grid;  ///< extents of x
  Index groups;

  /// A table as (n, groups, channels of a group).
  [[nodiscard]] SampleGrid group_grid() const { return {x_grid.n, groups, x_grid.c / groups}; }
  /// A table as (n, 1, c).
  [[nodiscard]] SampleGrid table_grid() const { return {x_grid.n, 1, x_grid.c}; }
  /// A new table (planes, n, c), with indeterminate contents.
  [[nodiscard]] Tensor<B> table(Index planes = 1) const { return {context, {planes, x_grid.n, x_grid.c}}; }
  /// Plane number i of a table: (n, c).
  [[nodiscard]] T* plane(Tensor<B> const& tables, Index i) const {
    return tables.data() + i * x_grid.n * x_grid.c;
  }

  /// Replaces each entry of `sums`, which hold sums over positions, by the mean over its group.
  DIFFSIAM_STEERS void group_means(Tensor<B> const& sums) const {
    SampleGrid const g = group_grid();
    auto const means = Tensor<B>::zeros(context, {g.n, g.s});
    T const share = T(1) / static_cast<T>(x_grid.s * g.c);
    B::sum(context, g.grid(), functional::Scaled<T>{share}, g.per_sample_position(means.data()),
           g.full(sums.data()));
    B::for_each(context, g.grid(), functional::Copy{}, g.full(sums.data()),
                g.per_sample_position(means.data()));
  }

  /// The mean and the biased variance of x, for each group.
  DIFFSIAM_STEERS void statistics(T const* x, Tensor<B> const& mean, Tensor<B> const& variance) const {
    SampleGrid const g = x_grid;
    mean.fill(T(0));
    variance.fill(T(0));
    B::sum(context, g.grid(), functional::Itself{}, g.per_sample_channel(mean.data()), g.full(x));
    group_means(mean);
    B::sum(context, g.grid(), functional::SquaredDeviation{}, g.per_sample_channel(variance.data()),
           g.full(x), g.per_sample_channel(mean.data()));
    group_means(variance);
  }

  /// Writes the tables of `into` from its gamma and beta, before any modulation.
  DIFFSIAM_STEERS void fold(Tensor<B> const& mean, Tensor<B> const& variance,
                            NormForward<T> const& into) const {
    SampleGrid const g = table_grid();
    B::for_each(context, g.grid(), functional::Copy{}, g.full(into.mean), g.full(mean.data()));
    B::for_each(context, g.grid(), functional::InverseDeviation<T>{static_cast<T>(into.epsilon)},
                g.full(into.inverse_deviation), g.full(variance.data()));
    B::for_each(context, g.grid(), functional::FoldStatistics{}, g.full(into.scale), g.full(into.shift),
                g.full(into.mean), g.full(into.inverse_deviation), g.per_channel(into.gamma),
                g.per_channel(into.beta));
  }
  /// Folds a modulation (n, 2c), first scale and then shift, into scale and shift.
  void modulate(T const* modulation, T* scale, T* shift) const {
    SampleGrid const g = table_grid();
    B::for_each(context, g.grid(), functional::FoldModulation{}, g.full(scale), g.full(shift),
                g.per_sample_channel(modulation, 2 * g.c), g.per_sample_channel(modulation + g.c, 2 * g.c));
  }
  /// y = act(scale x + shift); x and y may be MixedPointers.
  template <class Act, class X, class Y>
  void apply(X x, T const* scale, T const* shift, Y y) const {
    SampleGrid const g = x_grid;
    B::for_each(context, g.grid(), functional::AffineActivate<Act>{}, g.full(y), g.full(x),
                g.per_sample_channel(scale), g.per_sample_channel(shift));
  }

  /// into (c) += the sum of a table over samples; does nothing if `into` is null.
  void add_over_samples(Tensor<B> const& table, T* into) const {
    if (into == nullptr) return;
    SampleGrid const t = table_grid();
    B::sum(context, t.grid(), functional::Itself{}, t.per_channel(into), t.full(table.data()));
  }

  /// dv, the gradient before the activation, from dy.
  template <class Act>
  [[nodiscard]] Tensor<B> through_activation(NormBackward<T> const& pass) const {
    SampleGrid const g = x_grid;
    Tensor<B> const dv{context, {g.n, g.s, g.c}};
    B::for_each(context, g.grid(), functional::AffineActivateGradient<Act>{}, g.full(dv.data()),
                g.full(pass.dy), g.full(pass.x), g.per_sample_channel(pass.scale),
                g.per_sample_channel(pass.shift));
    return dv;
  }
  /// Writes p_1 and p_2: the sums over positions of dv, and of dv times the normalised x.
  DIFFSIAM_STEERS void sums(T const* dv, NormBackward<T> const& pass) const {
    SampleGrid const g = x_grid;
    B::fill(context, pass.p_1, g.n * g.c, T(0));
    B::fill(context, pass.p_2, g.n * g.c, T(0));
    B::sum(context, g.grid(), functional::Itself{}, g.per_sample_channel(pass.p_1), g.full(dv));
    B::sum(context, g.grid(), functional::NormProduct{}, g.per_sample_channel(pass.p_2), g.full(dv),
           g.full(pass.x), g.per_sample_channel(pass.mean), g.per_sample_channel(pass.inverse_deviation));
  }
  /// Converts p_1 and p_2 to sums before the modulation, and adds its gradient to d_modulation if that is not
  /// null.
  void through_modulation(NormBackward<T> const& pass) const {
    SampleGrid const t = table_grid();
    if (T* const into = pass.d_modulation) {
      B::for_each(context, t.grid(), functional::ModulationGradient{}, t.per_sample_channel(into, 2 * t.c),
                  t.per_sample_channel(into + t.c, 2 * t.c), t.full(pass.p_1), t.full(pass.p_2),
                  t.per_channel(pass.gamma), t.per_channel(pass.beta));
    }
    B::for_each(context, t.grid(), functional::ThroughModulation{}, t.full(pass.p_1), t.full(pass.p_2),
                t.per_sample_channel(pass.modulation, 2 * t.c));
  }
  /// dx += the gradient of x from dv and its sums, if dx is not null. No gradient flows through statistics
  /// that are constants (in evaluation mode).
  DIFFSIAM_STEERS void add_input_gradient(T const* dv, NormBackward<T> const& pass,
                                          bool through_statistics) const {
    if (pass.dx == nullptr) return;
    SampleGrid const g = x_grid, t = table_grid();
    Tensor<B> const dv_means = table(), product_means = table();
    auto const fill_means = [&](T const* sums, Tensor<B> const& means) {
      if (!through_statistics) return means.fill(T(0));
      B::for_each(context, t.grid(), functional::Multiply{}, t.full(means.data()), t.full(sums),
                  t.per_channel(pass.gamma));
      group_means(means);
    };
    fill_means(pass.p_1, dv_means);
    fill_means(pass.p_2, product_means);
    B::for_each(context, g.grid(), functional::NormalisationGradient{}, g.full(pass.dx), g.full(dv),
                g.full(pass.x), g.per_sample_channel(pass.scale), g.per_sample_channel(pass.mean),
                g.per_sample_channel(pass.inverse_deviation), g.per_sample_channel(dv_means.data()),
                g.per_sample_channel(product_means.data()));
  }
};

}  // namespace diffsiam::composed
