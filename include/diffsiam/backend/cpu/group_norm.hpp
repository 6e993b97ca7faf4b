// GroupNorm of the Cpu backend with modulation and activation, forward and backward. Work is divided into
// samples and blocks of whole groups, so that a piece fits into the cache and each image is read from memory
// only once.
#pragma once

#include <algorithm>
#include <numeric>
#include <type_traits>

#include <diffsiam/backend/cpu/bf16.hpp>
#include <diffsiam/backend/host/context.hpp>
#include <diffsiam/config.hpp>
#include <diffsiam/core/norm.hpp>
#include <diffsiam/functional/activation.hpp>
#include <diffsiam/functional/norm.hpp>

namespace diffsiam::backend::cpu {

/// How a GroupNorm is divided.
struct GroupNormCut {
  static constexpr Index strip = 16;  ///< channels that are processed together, in registers

  Index samples, channels;  ///< of a piece; small samples share one, a few large ones are divided
  Index blocks, pieces;     ///< blocks of channels; number of pieces

  explicit GroupNormCut(NormGeometry const& g) {
    constexpr Index wanted = 8, smallest_piece = Index{1} << 12;
    Index const unit = std::lcm(g.per_group(), strip);
    Index const split =
        std::clamp<Index>(wanted / std::max<Index>(1, g.n), 1, std::max<Index>(1, g.c / unit));
    channels = split == 1 ? g.c : (g.c / unit + split - 1) / split * unit;
    blocks = (g.c + channels - 1) / channels;
    samples =
        std::clamp<Index>(smallest_piece / std::max<Index>(1, g.s * channels), 1, std::max<Index>(1, g.n));
    pieces = (g.n + samples - 1) / samples * blocks;
  }
};

namespace detail {

/// Calls f(n, first channel, channels) for each block of a piece.
template <class F>
void for_each_block(GroupNormCut const& cut, NormGeometry const& g, Index piece, F const& f) {
  Index const first = piece % cut.blocks * cut.channels, from = piece / cut.blocks * cut.samples;
  for (Index n = from; n < std::min(from + cut.samples, g.n); ++n)
    f(n, first, std::min(cut.channels, g.c - first));
}

/// Calls f(channel, count) for strips of channels, then for each remaining channel; count is a constant.
template <class F>
DIFFSIAM_ALWAYS_INLINE void for_each_strip(Index channels, F const& f) {
  constexpr Index strip = GroupNormCut::strip;
  Index c = 0;
  for (; c + strip <= channels; c += strip) f(c, std::integral_constant<Index, strip>{});
  for (; c < channels; ++c) f(c, std::integral_constant<Index, 1>{});
}

/// Reads the value at from[i].
template <class T>
struct ValueAt {
  Index i;
  template <class X>
  DIFFSIAM_ALWAYS_INLINE T operator()(X const* from) const {
    return static_cast<T>(from[i]);
  }
};
/// Reads the vector at from + i.
template <class T>
struct VectorAt {
  Index i;
  template <class X>
  DIFFSIAM_ALWAYS_INLINE typename Vector<T>::Type operator()(X const* from) const {
    return Summand<T, X>::read(from + i);
  }
};

/// sums[i] = the sum over rows of f(row, at), where `at` reads at i < count. There are four partial sums, for
/// speed and accuracy. X is the type that f reads; the compiler vectorises the loop if X is T.
template <class X, class T, class Count, class F>
DIFFSIAM_ALWAYS_INLINE void sum_rows_of(Index rows, Count constant, T* sums, F const& f) {
  if constexpr (!std::is_same_v<X, T> && constant % lanes<T> == 0) {
    using V = typename Vector<T>::Type;
    for (Index i = 0; i < constant; i += lanes<T>) {
      V chains[4] = {};
      Index row = 0;
      for (; row + 4 <= rows; row += 4) {
        DIFFSIAM_UNROLL
        for (int chain = 0; chain < 4; ++chain) chains[chain] += f(row + chain, VectorAt<T>{i});
      }
      for (; row < rows; ++row) chains[0] += f(row, VectorAt<T>{i});
      *reinterpret_cast<V*>(sums + i) = (chains[0] + chains[1]) + (chains[2] + chains[3]);
    }
    return;
  }
  Index const count = constant;  // annotated loops must compare plain numbers
  T chains[4][GroupNormCut::strip] = {};
  Index row = 0;
  for (; row + 4 <= rows; row += 4)
    for (Index chain = 0; chain < 4; ++chain) {
      DIFFSIAM_INDEPENDENT_ITERATIONS
      for (Index i = 0; i < count; ++i) chains[chain][i] += f(row + chain, ValueAt<T>{i});
    }
  for (; row < rows; ++row)
    for (Index i = 0; i < count; ++i) chains[0][i] += f(row, ValueAt<T>{i});
  for (Index i = 0; i < count; ++i) sums[i] = (chains[0][i] + chains[1][i]) + (chains[2][i] + chains[3][i]);
}

/// Replaces each of the sums of `channels` channels by the mean over its group.
template <class T>
void means_of_groups(NormGeometry const& g, Index channels, T* sums) {
  for (Index c = 0; c < channels; c += g.per_group())
    std::fill_n(sums + c, g.per_group(),
                std::accumulate(sums + c, sums + c + g.per_group(), T(0)) /
                    (static_cast<T>(g.s) * static_cast<T>(g.per_group())));
}

}  // namespace detail

namespace detail {

/// Rows of a strip that are converted together, because values that were just written are slow to read back.
inline constexpr Index widened_rows = 16;
template <class T>
using WidenedRows = T[widened_rows][GroupNormCut::strip];

/// to[row - first] = channels [0, count) of rows [first, last), which are `pitch` apart, in full precision.
template <class T, class X>
DIFFSIAM_ALWAYS_INLINE void widen_rows(X const* from, Index pitch, Index first, Index last, Index count,
                                       WidenedRows<T>& to) {
  for (Index row = first; row < last; ++row) widen(from + row * pitch, count, to[row - first]);
}
template <class T, class X>
DIFFSIAM_ALWAYS_INLINE void narrow_rows(WidenedRows<T> const& from, Index pitch, Index first, Index last,
                                        Index count, X* to) {
  for (Index row = first; row < last; ++row) narrow(from[row - first], count, to + row * pitch);
}

/// Calls f(row, row of a, row of b) with rows of strips in full precision; a and b may be in low precision.
template <class T, class A, class B, class Count, class F>
DIFFSIAM_ALWAYS_INLINE void for_each_row(Index rows, A const* a, Index a_pitch, B const* b, Index b_pitch,
                                         Count count, F const& f) {
  if constexpr (std::is_same_v<A, T> && std::is_same_v<B, T>) {
    for (Index row = 0; row < rows; ++row) f(row, a + row * a_pitch, b + row * b_pitch);
  } else {
    alignas(64) WidenedRows<T> full_a, full_b;
    for (Index first = 0; first < rows; first += widened_rows) {
      Index const last = std::min(first + widened_rows, rows);
      if constexpr (!std::is_same_v<A, T>) widen_rows<T>(a, a_pitch, first, last, count, full_a);
      if constexpr (!std::is_same_v<B, T>) widen_rows<T>(b, b_pitch, first, last, count, full_b);
      for (Index row = first; row < last; ++row) {
        T const *row_a = full_a[row - first], *row_b = full_b[row - first];
        if constexpr (std::is_same_v<A, T>) row_a = a + row * a_pitch;
        if constexpr (std::is_same_v<B, T>) row_b = b + row * b_pitch;
        f(row, row_a, row_b);
      }
    }
  }
}
/// Calls f(row, target), where f adds to target: the row of y if it is in full precision, otherwise zeros
/// that are then written to y.
template <class T, class Y, class Count, class F>
DIFFSIAM_ALWAYS_INLINE void for_each_written_row(Index rows, Y* y, Index pitch, Count count, F const& f) {
  if constexpr (std::is_same_v<Y, T>) {
    for (Index row = 0; row < rows; ++row) f(row, y + row * pitch);
  } else {
    for (Index first = 0; first < rows; first += widened_rows) {
      Index const last = std::min(first + widened_rows, rows);
      alignas(64) WidenedRows<T> full{};
      for (Index row = first; row < last; ++row) f(row, full[row - first]);
      narrow_rows<T>(full, pitch, first, last, count, y);
    }
  }
}

/// y = act(scale x + shift) for a block of g.s rows. X is T or the storage dtype.
template <class Act, class T, class X>
void activate_block(NormGeometry const& g, Index channels, X const* x, T const* scale, T const* shift, X* y) {
  for_each_strip(channels, [&](Index c, auto constant) {
    Index const count = constant;
    auto const activate = [&](T const* from, T* to) {
      DIFFSIAM_INDEPENDENT_ITERATIONS
      for (Index i = 0; i < count; ++i)
        functional::AffineActivate<Act>{}(to[i], from[i], scale[c + i], shift[c + i]);
    };
    if constexpr (std::is_same_v<X, T>) {
      for (Index row = 0; row < g.s; ++row) activate(x + row * g.c + c, y + row * g.c + c);
    } else {
      alignas(64) WidenedRows<T> full;
      for (Index first = 0; first < g.s; first += widened_rows) {
        Index const last = std::min(first + widened_rows, g.s);
        widen_rows<T>(x + c, g.c, first, last, constant, full);
        for (Index row = first; row < last; ++row) activate(full[row - first], full[row - first]);
        narrow_rows<T>(full, g.c, first, last, constant, y + c);
      }
    }
  });
}

/// dv (rows of `channels`) = dy act'(scale x + shift).
template <class Act, class T, class X>
void activate_block_gradient(NormGeometry const& g, Index channels, X const* x, X const* dy, T const* scale,
                             T const* shift, T* dv) {
  for_each_strip(channels, [&](Index c, auto constant) {
    Index const count = constant;
    for_each_row<T>(g.s, x + c, g.c, dy + c, g.c, constant, [&](Index row, T const* from, T const* gradient) {
      T* const to = dv + row * channels + c;
      DIFFSIAM_INDEPENDENT_ITERATIONS
      for (Index i = 0; i < count; ++i)
        functional::AffineActivateGradient<Act>{}(to[i], gradient[i], from[i], scale[c + i], shift[c + i]);
    });
  });
}

}  // namespace detail

/// Computes what NormForward describes. `activate` is activate_block of the activation, so that everything
/// else is compiled once.
template <class T, class X = T>
[[gnu::noinline]] void group_norm(HostContext& context, NormGeometry const& g,
                                  NormForward<T, X const*, X*> const& pass,
                                  decltype(&detail::activate_block<functional::Identity, T, X>) activate) {
  GroupNormCut const cut{g};
  auto const block = [&](Index n, Index first, Index channels) {
    X const* const x = pass.x + n * g.s * g.c + first;
    X* const y = pass.y + n * g.s * g.c + first;
    Index const table = n * g.c + first;
    T* const mean = pass.mean + table;
    T* const deviation = pass.inverse_deviation + table;
    T* const scale = pass.scale + table;
    T* const shift = pass.shift + table;
    detail::for_each_strip(channels, [&](Index c, auto count) {
      detail::sum_rows_of<X>(g.s, count, mean + c, [&](Index row, auto at) { return at(x + row * g.c + c); });
    });
    detail::means_of_groups(g, channels, mean);
    detail::for_each_strip(channels, [&](Index c, auto count) {
      detail::sum_rows_of<X>(g.s, count, deviation + c, [&](Index row, auto at) {
        auto const deviating = at(x + row * g.c + c) - at(mean + c);
        return deviating * deviating;
      });
    });
    detail::means_of_groups(g, channels, deviation);
    for (Index c = 0; c < channels; ++c) {
      functional::InverseDeviation<T>{static_cast<T>(pass.epsilon)}(deviation[c], deviation[c]);
      functional::FoldStatistics{}(scale[c], shift[c], mean[c], deviation[c], pass.gamma[first + c],
                                   pass.beta[first + c]);
      if (pass.modulation == nullptr) continue;
      T const* const modulation = pass.modulation + 2 * n * g.c + first + c;
      functional::FoldModulation{}(scale[c], shift[c], modulation[0], modulation[g.c]);
    }
    activate(g, channels, x, scale, shift, y);
  };
  context.threads().run(cut.pieces, [&](Index piece, int) { detail::for_each_block(cut, g, piece, block); });
}

/// Bytes of workspace of group_norm_gradient: dv of a block and two means for each channel, for each thread.
template <class T>
[[nodiscard]] std::size_t group_norm_gradient_workspace(NormGeometry const& g, int threads) {
  return static_cast<std::size_t>(threads * (g.s + 2) * GroupNormCut{g}.channels) * sizeof(T);
}

/// Computes what NormBackward describes; `activate` is activate_block_gradient of the activation.
template <class T, class X = T>
[[gnu::noinline]] void group_norm_gradient(
    HostContext& context, NormGeometry const& g, NormBackward<T, X const*, X*> const& pass,
    decltype(&detail::activate_block_gradient<functional::Identity, T, X>) activate) {
  auto const memory = context.allocate(group_norm_gradient_workspace<T>(g, context.threads().threads()));
  GroupNormCut const cut{g};
  auto const block = [&](Index n, Index first, Index channels, T* dv) {
    X const* const x = pass.x + n * g.s * g.c + first;
    X const* const dy = pass.dy + n * g.s * g.c + first;
    Index const table = n * g.c + first;
    T const* const mean = pass.mean + table;
    T const* const deviation = pass.inverse_deviation + table;
    T const* const scale = pass.scale + table;
    T const* const shift = pass.shift + table;
    T* const p_1 = pass.p_1 + table;
    T* const p_2 = pass.p_2 + table;
    activate(g, channels, x, dy, scale, shift, dv);
    detail::for_each_strip(channels, [&](Index c, auto count) {
      detail::sum_rows_of<T>(g.s, count, p_1 + c,
                             [&](Index row, auto at) { return at(dv + row * channels + c); });
      // dv times the normalised x, as in NormProduct.
      detail::sum_rows_of<X>(g.s, count, p_2 + c, [&](Index row, auto at) {
        return at(dv + row * channels + c) * (at(x + row * g.c + c) - at(mean + c)) * at(deviation + c);
      });
    });
    for (Index c = 0; c < channels && pass.modulation != nullptr; ++c) {
      Index const at = 2 * n * g.c + first + c;
      if (T* const into = pass.d_modulation)
        functional::ModulationGradient{}(into[at], into[at + g.c], p_1[c], p_2[c], pass.gamma[first + c],
                                         pass.beta[first + c]);
      functional::ThroughModulation{}(p_1[c], p_2[c], pass.modulation[at]);
    }
    if (pass.dx == nullptr) return;
    T* const m_1 = dv + g.s * channels;
    T* const m_2 = m_1 + channels;
    for (Index c = 0; c < channels; ++c) {
      m_1[c] = p_1[c] * pass.gamma[first + c];
      m_2[c] = p_2[c] * pass.gamma[first + c];
    }
    detail::means_of_groups(g, channels, m_1);
    detail::means_of_groups(g, channels, m_2);
    X* const dx = pass.dx + n * g.s * g.c + first;
    detail::for_each_strip(channels, [&](Index c, auto constant) {
      Index const count = constant;
      detail::for_each_written_row<T>(g.s, dx + c, g.c, constant, [&](Index row, T* to) {
        X const* const from = x + row * g.c + c;
        DIFFSIAM_INDEPENDENT_ITERATIONS
        for (Index i = 0; i < count; ++i)
          functional::NormalisationGradient{}(to[i], dv[row * channels + c + i], static_cast<T>(from[i]),
                                              scale[c + i], mean[c + i], deviation[c + i], m_1[c + i],
                                              m_2[c + i]);
      });
    });
  };
  context.threads().run(cut.pieces, [&](Index piece, int worker) {
    T* const own = static_cast<T*>(memory.get()) + worker * (g.s + 2) * cut.channels;
    detail::for_each_block(cut, g, piece,
                           [&](Index n, Index first, Index channels) { block(n, first, channels, own); });
  });
}

}  // namespace diffsiam::backend::cpu
