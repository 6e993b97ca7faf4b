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

/// The images that the way back reads.
template <class X, int Width>
struct NormPacks {
  Pack<X, Width> x, dy;
};

/// The terms of p_1 and p_2 of NormBackward: dv, and dv times the normalised x.
template <int Width, class Act, class T, class X>
struct NormGradientTerms {
  static constexpr int planes = 2;
  NormBackward<T, X const*, X*> pass;

  DIFFSIAM_KERNEL void add(ColumnWalk const& walk, ColumnPlace const& at, T (&sums)[planes][Width]) const {
    Index const table = at.n * walk.c + at.channel;
    auto const scale = load_pack<Width>(pass.scale + table), shift = load_pack<Width>(pass.shift + table);
    auto const mean = load_pack<Width>(pass.mean + table),
               deviation = load_pack<Width>(pass.inverse_deviation + table);
    at.each_offset(
        walk,
        [&](Index i) {
          return NormPacks<X, Width>{load_pack<Width>(pass.x + i), load_pack<Width>(pass.dy + i)};
        },
        [&](Index, NormPacks<X, Width> const& in) {
          for (int j = 0; j < Width; ++j) {
            T const x = read<T>(in.x.value, j);
            T dv;
            functional::AffineActivateGradient<Act>{}(dv, read<T>(in.dy.value, j), x, scale.value[j],
                                                      shift.value[j]);
            sums[0][j] += dv;
            sums[1][j] += functional::NormProduct{}(dv, x, mean.value[j], deviation.value[j]);
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
    auto const scale = load_pack<Width>(pass.scale + table), shift = load_pack<Width>(pass.shift + table);
    auto const mean = load_pack<Width>(pass.mean + table),
               deviation = load_pack<Width>(pass.inverse_deviation + table);
    auto const m_1 = load_pack<Width>(means + table), m_2 = load_pack<Width>(means + walk.n * walk.c + table);
    at.each_offset(
        walk,
        [&](Index i) {
          return NormPacks<X, Width>{load_pack<Width>(pass.x + i), load_pack<Width>(pass.dy + i)};
        },
        [&](Index i, NormPacks<X, Width> const& in) {
          Pack<X, Width> out{};  // what is added to
          if constexpr (std::is_same_v<X, T>)
            out = load_pack<Width>(pass.dx + i);
          else if (pass.earlier != nullptr)
            out = load_pack<Width>(pass.earlier + i);
          for (int j = 0; j < Width; ++j) {
            T const x = read<T>(in.x.value, j);
            T dv, dx = read<T>(out.value, j);
            functional::AffineActivateGradient<Act>{}(dv, read<T>(in.dy.value, j), x, scale.value[j],
                                                      shift.value[j]);
            functional::NormalisationGradient{}(dx, dv, x, scale.value[j], mean.value[j], deviation.value[j],
                                                m_1.value[j], m_2.value[j]);
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
    auto const memory = context.allocate(static_cast<std::size_t>(tables * (1 + walk.chunks)) * sizeof(T));
    auto* const means = static_cast<T*>(memory.get());
    T* const partial = means + tables;
    Device::launch(
        context, walk.blocks(),
        ColumnSums<width(), T, Terms, PutPartial<2, T>>{walk, {pass}, {partial, walk.chunks, g.c}});
    GroupTotals<T> const totals{g, walk.chunks, partial};
    Device::launch(context, totals.blocks(), GroupNormGradientMeans<T, X>{totals, pass, means});
    if (pass.dx != nullptr)
      Device::launch(context, walk.blocks(), GroupNormInput<width(), Act, T, X>{walk, pass, means});
  });
}

}  // namespace diffsiam::backend::cuda
