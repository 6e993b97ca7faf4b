// GroupNorm with modulation and activation: sums over the positions of each channel, the statistics of
// groups, and one pass that applies them. An image is read twice and written once, with loads of 16 bytes.
#pragma once

#include <algorithm>
#include <cstddef>
#include <initializer_list>

#include <diffsiam/backend/cuda/kernels/access.hpp>
#include <diffsiam/backend/cuda/kernels/columns.hpp>
#include <diffsiam/backend/cuda/kernels/group_totals.hpp>
#include <diffsiam/backend/cuda/kernels/pack.hpp>
#include <diffsiam/core/norm.hpp>
#include <diffsiam/functional/norm.hpp>

namespace diffsiam::backend::cuda {

/// The value from which those of a group are measured: its first one, so that a large mean costs no digits of
/// the variance.
template <class T, class X>
[[nodiscard]] DIFFSIAM_KERNEL T group_origin(NormGeometry const& g, X const* x, Index n, Index channel) {
  return read<T>(x, n * g.s * g.c + channel - divide(channel, g.per_group()).rest);
}

/// The terms of statistics: x less the origin of its group, and the square of that.
template <int Width, class T, class X>
struct NormMoments {
  static constexpr int planes = 2;
  NormGeometry g;
  X const* x;

  DIFFSIAM_KERNEL void add(ColumnWalk const& walk, ColumnPlace const& at, T (&sums)[planes][Width]) const {
    T origin[Width];
    for (int j = 0; j < Width; ++j) origin[j] = group_origin<T>(g, x, at.n, at.channel + j);
    at.each_offset(
        walk, [&](Index i) { return load_pack<Width>(x + i); },
        [&](Index, Pack<X, Width> const& values) {
          for (int j = 0; j < Width; ++j) {
            T const deviation = read<T>(values.value, j) - origin[j];
            sums[0][j] += deviation;
            sums[1][j] += deviation * deviation;
          }
        });
  }
};

/// The tables of NormForward, from the sums of NormMoments.
template <class T, class X>
struct GroupNormStatistics {
  using Shared = typename GroupTotals<T>::Shared;
  static constexpr bool synchronises = true;
  GroupTotals<T> totals;
  NormForward<T, X const*, X*> pass;
  T* variances;  ///< (n, c), or null

  template <Lane L>
  DIFFSIAM_KERNEL void operator()(L& lane, Shared& shared) const {
    NormGeometry const& g = totals.g;
    auto const channels = totals.channels(lane.block(), lane.thread());
    T sums[2] = {};
    for (Index c = channels.first; c < channels.stop; c += totals.threads)
      for (int plane = 0; plane < 2; ++plane) sums[plane] += totals.of_channel(channels.n, plane, c);
    totals.add_threads(lane, shared, sums);
    T const size = static_cast<T>(g.s * g.per_group()), from_origin = sums[0] / size;
    // Rounding may bring a variance of nothing below zero; NaN must stay.
    T const rounded = sums[1] / size - from_origin * from_origin, variance = rounded < T(0) ? T(0) : rounded;
    for (Index c = channels.first; c < channels.stop; c += totals.threads) {
      Index const at = channels.n * g.c + c;
      T const mean = group_origin<T>(g, pass.x, channels.n, c) + from_origin;
      pass.mean[at] = mean;
      functional::InverseDeviation<T>{static_cast<T>(pass.epsilon)}(pass.inverse_deviation[at], variance);
      if (variances != nullptr) variances[at] = variance;
      functional::FoldStatistics{}(pass.scale[at], pass.shift[at], mean, pass.inverse_deviation[at],
                                   pass.gamma[c], pass.beta[c]);
      if (pass.modulation == nullptr) continue;
      T const* const modulation = pass.modulation + 2 * channels.n * g.c + c;
      functional::FoldModulation{}(pass.scale[at], pass.shift[at], modulation[0], modulation[g.c]);
    }
  }
};

/// y = act(scale x + shift).
template <int Width, class Act, class T, class X>
struct GroupNormApply {
  struct Shared {};
  static constexpr bool synchronises = false;
  ColumnWalk walk;
  NormForward<T, X const*, X*> pass;

  template <Lane L>
  DIFFSIAM_KERNEL void operator()(L& lane, Shared&) const {
    ColumnPlace const at{walk, lane.block(), lane.thread()};
    if (!at.inside) return;
    Index const table = at.n * walk.c + at.channel;
    auto const scale = load_pack<Width>(pass.scale + table), shift = load_pack<Width>(pass.shift + table);
    at.each_offset(
        walk, [&](Index i) { return load_pack<Width>(pass.x + i); },
        [&](Index i, Pack<X, Width> const& x) {
          Pack<X, Width> out;
          for (int j = 0; j < Width; ++j) {
            T y;
            functional::AffineActivate<Act>{}(y, read<T>(x.value, j), scale.value[j], shift.value[j]);
            write(out.value, j, y);
          }
          store_pack(pass.y + i, out);
        });
  }
};

/// Whether packs of 16 bytes fit all images, of type X, and the same number of values all tables.
template <class T, class X>
[[nodiscard]] bool fit_packs(NormGeometry const& g, std::initializer_list<X const*> images,
                             std::initializer_list<T const*> tables) {
  auto const fits = [](auto const* data) { return fits_packs_at(data, widest_pack<X>); };
  return g.c % widest_pack<X> == 0 && std::ranges::all_of(images, fits) && std::ranges::all_of(tables, fits);
}

/// X is the type of x and y in memory. The variances (n, c) of groups go to `variances` if it is not null.
template <class Device, class Act, class T, class X>
void group_norm(typename Device::Context& context, NormGeometry const& g,
                NormForward<T, X const*, X*> const& pass, T* variances = nullptr) {
  if (g.n * g.s == 0) return;
  bool const fit = fit_packs<T, X>(g, {pass.x, pass.y}, {pass.scale, pass.shift});
  with_pack_width<X>(fit, [&](auto width) {
    ColumnWalk const walk{g.n, g.s, g.c, width};
    auto const memory = context.allocate(static_cast<std::size_t>(sums_size(walk)) * sizeof(T));
    auto const totals = group_totals<Device, width()>(context, g, walk, NormMoments<width(), T, X>{g, pass.x},
                                                      static_cast<T*>(memory.get()));
    Device::launch(context, totals.blocks(), GroupNormStatistics<T, X>{totals, pass, variances});
    Device::launch(context, walk.blocks(), GroupNormApply<width(), Act, T, X>{walk, pass});
  });
}

}  // namespace diffsiam::backend::cuda
