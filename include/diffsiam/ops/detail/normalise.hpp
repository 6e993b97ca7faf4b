// What GroupNorm, LayerNorm and BatchNorm share: statistics over positions and the channels of a group, an
// affine map, perhaps a modulation, an activation. Everything per (sample, channel) is folded to y = act(a x
// + d) first, so that the image is read twice for statistics and once for the result.
#pragma once

#include <diffsiam/config.hpp>
#include <diffsiam/core/strided.hpp>
#include <diffsiam/functional/activation.hpp>
#include <diffsiam/functional/arithmetic.hpp>
#include <diffsiam/functional/normalisation.hpp>
#include <diffsiam/tensor/tensor.hpp>

namespace diffsiam::ops::detail {

/// x (n, s, c) in `groups` groups of channels. Tables are (n, c) unless said otherwise.
template <class B>
struct Normalise {
  using T = typename B::Scalar;
  using Context = typename B::Context;
  Context& context;
  SampleGrid x_grid;
  Index groups;

  /// The (n, groups, channels of a group) view of a table.
  [[nodiscard]] SampleGrid group_grid() const { return {x_grid.n, groups, x_grid.c / groups}; }
  [[nodiscard]] SampleGrid table_grid() const { return {x_grid.n, 1, x_grid.c}; }
  [[nodiscard]] Tensor<B> table(Index planes = 1) const { return {context, {planes, x_grid.n, x_grid.c}}; }
  [[nodiscard]] Tensor<B> zero_table() const { return Tensor<B>::zeros(context, {x_grid.n, x_grid.c}); }
  [[nodiscard]] T* plane(Tensor<B> const& tables, Index i) const {
    return tables.data() + i * x_grid.n * x_grid.c;
  }

  /// Replaces each entry by the mean over its group of `sums`, which hold sums over positions.
  DIFFSIAM_STEERS void group_means(Tensor<B> const& sums) const {
    SampleGrid const g = group_grid();
    auto const means = Tensor<B>::zeros(context, {g.n, g.s});
    T const share = T(1) / static_cast<T>(x_grid.s * g.c);
    B::sum(context, g.grid(), functional::Scaled<T>{share}, g.per_sample_position(means.data()),
           g.full(sums.data()));
    B::for_each(context, g.grid(), functional::Copy{}, g.full(sums.data()),
                g.per_sample_position(means.data()));
  }

  /// Statistics of x: (mean, biased variance).
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

  /// statistics (2, n, c) become (mean, 1 / deviation) and affine (2, n, c) becomes (a, d), before any
  /// modulation.
  DIFFSIAM_STEERS void fold(Tensor<B> const& mean, Tensor<B> const& variance, double epsilon, T const* gamma,
                            T const* beta, Tensor<B> const& statistics, Tensor<B> const& affine) const {
    SampleGrid const g = table_grid();
    B::for_each(context, g.grid(), functional::Copy{}, g.full(plane(statistics, 0)), g.full(mean.data()));
    B::for_each(context, g.grid(), functional::InverseDeviation<T>{static_cast<T>(epsilon)},
                g.full(plane(statistics, 1)), g.full(variance.data()));
    B::for_each(context, g.grid(), functional::FoldStatistics{}, g.full(plane(affine, 0)),
                g.full(plane(affine, 1)), g.full(plane(statistics, 0)), g.full(plane(statistics, 1)),
                g.per_channel(gamma), g.per_channel(beta));
  }
  /// Folds a modulation (n, 2c), scale then shift, into affine.
  void modulate(T const* modulation, Tensor<B> const& affine) const {
    SampleGrid const g = table_grid();
    B::for_each(context, g.grid(), functional::FoldModulation{}, g.full(plane(affine, 0)),
                g.full(plane(affine, 1)), g.per_sample_channel(modulation, 2 * g.c),
                g.per_sample_channel(modulation + g.c, 2 * g.c));
  }
  /// x and y may be Stored.
  template <class Act, class X, class Y>
  void apply(X x, Tensor<B> const& affine, Y y) const {
    SampleGrid const g = x_grid;
    B::for_each(context, g.grid(), functional::AffineActivate<Act>{}, g.full(y), g.full(x),
                g.per_sample_channel(plane(affine, 0)), g.per_sample_channel(plane(affine, 1)));
  }

  /// into (c) += the sum of a table over samples; does nothing where `into` is null.
  void add_over_samples(Tensor<B> const& table, T* into) const {
    if (into == nullptr) return;
    SampleGrid const t = table_grid();
    B::sum(context, t.grid(), functional::Itself{}, t.per_channel(into), t.full(table.data()));
  }

  /// The gradient before the activation: dv from dy.
  template <class Act>
  [[nodiscard]] Tensor<B> through_activation(T const* x, Tensor<B> const& affine, Tensor<B> const& dy) const {
    if constexpr (std::is_same_v<Act, functional::Identity>) return dy;
    SampleGrid const g = x_grid;
    Tensor<B> const dv{context, dy.shape()};
    B::for_each(context, g.grid(), functional::AffineActivateGradient<Act>{}, g.full(dv.data()),
                g.full(dy.data()), g.full(x), g.per_sample_channel(plane(affine, 0)),
                g.per_sample_channel(plane(affine, 1)));
    return dv;
  }

  /// Over positions: of dv, and of dv times the normalised x. Tables.
  struct Sums {
    Tensor<B> dv, product;
  };
  [[nodiscard]] DIFFSIAM_STEERS Sums sums(T const* x, Tensor<B> const& statistics,
                                          Tensor<B> const& dv) const {
    SampleGrid const g = x_grid;
    Sums const result{zero_table(), zero_table()};
    B::sum(context, g.grid(), functional::Itself{}, g.per_sample_channel(result.dv.data()),
           g.full(dv.data()));
    B::sum(context, g.grid(), functional::NormalisedProduct{}, g.per_sample_channel(result.product.data()),
           g.full(dv.data()), g.full(x), g.per_sample_channel(plane(statistics, 0)),
           g.per_sample_channel(plane(statistics, 1)));
    return result;
  }
  /// Brings the sums before the modulation; adds its gradient into `into` where that is not null.
  void through_modulation(T const* gamma, T const* beta, T const* modulation, Sums const& sums,
                          T* into) const {
    SampleGrid const t = table_grid();
    if (into != nullptr) {
      B::for_each(context, t.grid(), functional::ModulationGradient{}, t.per_sample_channel(into, 2 * t.c),
                  t.per_sample_channel(into + t.c, 2 * t.c), t.full(sums.dv.data()),
                  t.full(sums.product.data()), t.per_channel(gamma), t.per_channel(beta));
    }
    B::for_each(context, t.grid(), functional::ThroughModulation{}, t.full(sums.dv.data()),
                t.full(sums.product.data()), t.per_sample_channel(modulation, 2 * t.c));
  }

  struct Gradients {
    T* x = nullptr;
    T* gamma = nullptr;
    T* beta = nullptr;
  };
  /// From dv and its sums, which are overwritten. Statistics that are constants (inference) let no gradient
  /// through.
  DIFFSIAM_STEERS void backward(T const* x, T const* gamma, Tensor<B> const& statistics,
                                Tensor<B> const& affine, Tensor<B> const& dv, Sums const& sums,
                                Gradients const& into, bool through_statistics) const {
    SampleGrid const g = x_grid, t = table_grid();
    add_over_samples(sums.product, into.gamma);
    add_over_samples(sums.dv, into.beta);
    if (into.x == nullptr) return;
    for (Tensor<B> const* sum : {&sums.dv, &sums.product}) {
      if (through_statistics) {
        B::for_each(context, t.grid(), functional::Multiply{}, t.full(sum->data()), t.full(sum->data()),
                    t.per_channel(gamma));
        group_means(*sum);
      } else {
        sum->fill(T(0));
      }
    }
    B::for_each(context, g.grid(), functional::NormalisationGradient{}, g.full(into.x), g.full(dv.data()),
                g.full(x), g.per_sample_channel(plane(affine, 0)), g.per_sample_channel(plane(statistics, 0)),
                g.per_sample_channel(plane(statistics, 1)), g.per_sample_channel(sums.dv.data()),
                g.per_sample_channel(sums.product.data()));
  }
};

}  // namespace diffsiam::ops::detail
