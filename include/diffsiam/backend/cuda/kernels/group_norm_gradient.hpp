// The gradient of GroupNorm with modulation and activation: sums over the positions of each channel, their
// means over groups, and one pass that writes dx. Both images are read twice, with loads of 16 bytes.
#pragma once

#include <cstddef>
#include <type_traits>

#include <diffsiam/backend/cuda/kernels/access.hpp>
#include <diffsiam/backend/cuda/kernels/columns.hpp>
#include <diffsiam/backend/cuda/kernels/group_norm.hpp>
#include <diffsiam/backend/cuda/kernels/group_totals.hpp>
#include <diffsiam/backend/cuda/kernels/pack.hpp>
#include <diffsiam/core/norm.hpp>
#include <diffsiam/functional/norm.hpp>

namespace diffsiam::backend::cuda {

/// What the way back reads for the channels of a thread: the tables, and at each position both images.
template <int Width, class T, class X>
struct NormColumn {
  NormBackward<T, X const*, X*> const& pass;
  Pack<T, Width> scale, shift, mean, deviation;

  DIFFSIAM_KERNEL NormColumn(NormBackward<T, X const*, X*> const& of, Index table)
      : pass(of),
        scale(load_pack<Width>(of.scale + table)),
        shift(load_pack<Width>(of.shift + table)),
        mean(load_pack<Width>(of.mean + table)),
        deviation(load_pack<Width>(of.inverse_deviation + table)) {}
  struct Images {
    Pack<X, Width> x, dy;
  };
  [[nodiscard]] DIFFSIAM_KERNEL Images at(Index i) const {
    return {load_pack<Width>(pass.x + i), load_pack<Width>(pass.dy + i)};
  }
  /// dv of channel j, where the normalisation had x.
  template <class Act>
  [[nodiscard]] DIFFSIAM_KERNEL T before_activation(Images const& in, int j, T x) const {
    T dv;
    functional::AffineActivateGradient<Act>{}(dv, read<T>(in.dy.value, j), x, scale.value[j], shift.value[j]);
    return dv;
  }
};

/// The terms of p_1 and p_2 of NormBackward: dv, and dv times the normalised x.
template <int Width, class Act, class T, class X>
struct NormGradientTerms {
  static constexpr int planes = 2;
  NormBackward<T, X const*, X*> pass;

  DIFFSIAM_KERNEL void add(ColumnWalk const& walk, ColumnPlace const& at, T (&sums)[planes][Width]) const {
    NormColumn<Width, T, X> const column{pass, at.n * walk.c + at.channel};
    at.each_offset(
        walk, [&](Index i) { return column.at(i); },
        [&](Index, auto const& in) {
          for (int j = 0; j < Width; ++j) {
            T const x = read<T>(in.x.value, j), dv = column.template before_activation<Act>(in, j, x);
            sums[0][j] += dv;
            sums[1][j] += functional::NormProduct{}(dv, x, column.mean.value[j], column.deviation.value[j]);
          }
        });
  }
};

/// p_1, p_2 and d_modulation of NormBackward from the sums of NormGradientTerms, and what the input's
/// gradient needs of them: the means over the group of dx^ and dx^ x^, as means (2, n, c).
template <class T, class X>
struct GroupNormGradientMeans {
  using Shared = typename GroupTotals<T>::Shared;
  static constexpr bool synchronises = true;
  GroupTotals<T> totals;
  NormBackward<T, X const*, X*> pass;
  T* means;

  template <Lane L>
  DIFFSIAM_KERNEL void operator()(L& lane, Shared& shared) const {
    NormGeometry const& g = totals.g;
    auto const channels = totals.channels(lane.block(), lane.thread());
    T sums[2] = {};
    for (Index c = channels.first; c < channels.stop; c += totals.threads) {
      T p_1 = totals.of_channel(channels.n, 0, c), p_2 = totals.of_channel(channels.n, 1, c);
      if (pass.modulation != nullptr) {
        Index const at = 2 * channels.n * g.c + c;
        if (T* const into = pass.d_modulation)
          functional::ModulationGradient{}(into[at], into[at + g.c], p_1, p_2, pass.gamma[c], pass.beta[c]);
        functional::ThroughModulation{}(p_1, p_2, pass.modulation[at]);
      }
      pass.p_1[channels.n * g.c + c] = p_1;
      pass.p_2[channels.n * g.c + c] = p_2;
      sums[0] += p_1 * pass.gamma[c];
      sums[1] += p_2 * pass.gamma[c];
    }
    totals.add_threads(lane, shared, sums);
    T const size = static_cast<T>(g.s * g.per_group());
    for (Index c = channels.first; c < channels.stop; c += totals.threads)
      for (int plane = 0; plane < 2; ++plane)
        means[(plane * g.n + channels.n) * g.c + c] = sums[plane] / size;
  }
};

/// dx of NormBackward, from the means of GroupNormGradientMeans.
template <int Width, class Act, class T, class X>
struct GroupNormInput {
  struct Shared {};
  static constexpr bool synchronises = false;
  ColumnWalk walk;
  NormBackward<T, X const*, X*> pass;
  T const* means;

  template <Lane L>
  DIFFSIAM_KERNEL void operator()(L& lane, Shared&) const {
    ColumnPlace const at{walk, lane.block(), lane.thread()};
    if (!at.inside) return;
    Index const table = at.n * walk.c + at.channel;
    NormColumn<Width, T, X> const column{pass, table};
    auto const m_1 = load_pack<Width>(means + table), m_2 = load_pack<Width>(means + walk.n * walk.c + table);
    at.each_offset(
        walk, [&](Index i) { return column.at(i); },
        [&](Index i, auto const& in) {
          Pack<X, Width> out{};  // what is added to
          if constexpr (std::is_same_v<X, T>)
            out = load_pack<Width>(pass.dx + i);
          else if (pass.earlier != nullptr)
            out = load_pack<Width>(pass.earlier + i);
          for (int j = 0; j < Width; ++j) {
            T const x = read<T>(in.x.value, j), dv = column.template before_activation<Act>(in, j, x);
            T dx = read<T>(out.value, j);
            functional::NormalisationGradient{}(dx, dv, x, column.scale.value[j], column.mean.value[j],
                                                column.deviation.value[j], m_1.value[j], m_2.value[j]);
            write(out.value, j, dx);
          }
          store_pack(pass.dx + i, out);
        });
  }
};

/// X is the type of x, dy and dx in memory.
template <class Device, class Act, class T, class X>
void group_norm_gradient(typename Device::Context& context, NormGeometry const& g,
                         NormBackward<T, X const*, X*> const& pass) {
  if (g.n * g.s == 0) return;
  bool const fit = fit_packs<T, X>(g, {pass.x, pass.dy, pass.dx, pass.earlier},
                                   {pass.scale, pass.shift, pass.mean, pass.inverse_deviation});
  with_pack_width<X>(fit, [&](auto width) {
    using Terms = NormGradientTerms<width(), Act, T, X>;
    ColumnWalk const walk{g.n, g.s, g.c, width};
    Index const tables = 2 * g.n * g.c;
    auto const memory = context.allocate(static_cast<std::size_t>(tables + sums_size(walk)) * sizeof(T));
    auto* const means = static_cast<T*>(memory.get());
    auto const totals = group_totals<Device, width()>(context, g, walk, Terms{pass}, means + tables);
    Device::launch(context, totals.blocks(), GroupNormGradientMeans<T, X>{totals, pass, means});
    if (pass.dx != nullptr)
      Device::launch(context, walk.blocks(), GroupNormInput<width(), Act, T, X>{walk, pass, means});
  });
}

}  // namespace diffsiam::backend::cuda
