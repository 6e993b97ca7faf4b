// GroupNorm with modulation and activation: one kernel for the forward pass and two for the backward pass,
// where the composed one needs a dozen. What a block reads again comes from the cache.
#pragma once

#include <diffsiam/backend/cuda/kernels/access.hpp>
#include <diffsiam/backend/cuda/kernels/lane.hpp>
#include <diffsiam/backend/cuda/kernels/places.hpp>
#include <diffsiam/core/norm.hpp>
#include <diffsiam/functional/norm.hpp>

namespace diffsiam::backend::cuda {

/// A group of channels of one sample, on which a block works.
struct NormGroup {
  Index x, table, channel;  ///< offsets of the first value in images, in tables (n, c) and in weights (c)
  Index channels, size;     ///< of the group; number of values

  DIFFSIAM_HOST_DEVICE NormGroup(NormGeometry const& g, Index block) {
    Division const at = divide(block, g.groups);
    channels = g.per_group();
    channel = at.rest * channels;
    table = at.quotient * g.c + channel;
    x = at.quotient * g.s * g.c + channel;
    size = g.s * channels;
  }
};

/// Computes what NormForward describes, with one block for each sample and group.
template <class Act, class T, class X>
struct GroupNormForward {
  using Shared = TeamMemory<T>;
  static constexpr bool synchronises = true;
  NormGeometry g;
  NormForward<T, X const*, X*> pass;

  template <Lane L>
  DIFFSIAM_KERNEL void operator()(L& lane, Shared& memory) const {
    NormGroup const group{g, lane.block()};
    auto const add = [](T a, T b) { return a + b; };
    T const size = static_cast<T>(group.size);
    T sum = T(0);
    for (Index i = lane.thread(); i < group.size; i += block_threads) sum += x_at(group, i);
    T const mean = combine_team<Team::block>(lane, memory, sum, add) / size;
    T squares = T(0);
    for (Index i = lane.thread(); i < group.size; i += block_threads)
      squares += functional::SquaredDeviation{}(x_at(group, i), mean);
    T const variance = combine_team<Team::block>(lane, memory, squares, add) / size;
    for (Index c = lane.thread(); c < group.channels; c += block_threads) {
      Index const at = group.table + c, weight = group.channel + c;
      pass.mean[at] = mean;
      functional::InverseDeviation<T>{static_cast<T>(pass.epsilon)}(pass.inverse_deviation[at], variance);
      functional::FoldStatistics{}(pass.scale[at], pass.shift[at], mean, pass.inverse_deviation[at],
                                   pass.gamma[weight], pass.beta[weight]);
      if (pass.modulation == nullptr) continue;
      T const* const modulation = pass.modulation + 2 * (group.table - group.channel) + weight;
      functional::FoldModulation{}(pass.scale[at], pass.shift[at], modulation[0], modulation[g.c]);
    }
    lane.sync();  // all threads of the block read the tables of the group
    for (Index i = lane.thread(); i < group.size; i += block_threads) {
      Division const at = divide(i, group.channels);
      Index const value = group.x + at.quotient * g.c + at.rest, table = group.table + at.rest;
      T y;
      functional::AffineActivate<Act>{}(y, read<T>(pass.x, value), pass.scale[table], pass.shift[table]);
      write(pass.y, value, y);
    }
  }

 private:
  [[nodiscard]] DIFFSIAM_KERNEL T x_at(NormGroup const& group, Index i) const {
    Division const at = divide(i, group.channels);
    return read<T>(pass.x, group.x + at.quotient * g.c + at.rest);
  }
};

/// p_1, p_2 and d_modulation of NormBackward, with one block for each sample and 32 channels.
template <class Act, class T, class X>
struct GroupNormSums {
  static constexpr int warps = block_threads / warp_size;
  struct Shared {
    T p_1[warps][warp_size], p_2[warps][warp_size];
  };
  static constexpr bool synchronises = true;
  NormGeometry g;
  NormBackward<T, X const*, X*> pass;
  Index column_blocks;

  template <Lane L>
  DIFFSIAM_KERNEL void operator()(L& lane, Shared& shared) const {
    Division const block = divide(lane.block(), column_blocks);
    int const warp = lane.thread() / warp_size, in_warp = lane.thread() % warp_size;
    Index const n = block.quotient, c = block.rest * warp_size + in_warp, table = n * g.c + c;
    T p_1 = T(0), p_2 = T(0);
    if (c < g.c) {
      T const scale = pass.scale[table], shift = pass.shift[table];
      T const mean = pass.mean[table], deviation = pass.inverse_deviation[table];
      for (Index position = warp; position < g.s; position += warps) {
        Index const at = (n * g.s + position) * g.c + c;
        T const x = read<T>(pass.x, at);
        T dv;
        functional::AffineActivateGradient<Act>{}(dv, read<T>(pass.dy, at), x, scale, shift);
        p_1 += dv;
        p_2 += functional::NormProduct{}(dv, x, mean, deviation);
      }
    }
    shared.p_1[warp][in_warp] = p_1;
    shared.p_2[warp][in_warp] = p_2;
    lane.sync();
    if (warp != 0 || c >= g.c) return;
    for (int other = 1; other < warps; ++other) {
      p_1 += shared.p_1[other][in_warp];
      p_2 += shared.p_2[other][in_warp];
    }
    if (pass.modulation != nullptr) {
      Index const at = 2 * n * g.c + c;
      if (T* const into = pass.d_modulation)
        functional::ModulationGradient{}(into[at], into[at + g.c], p_1, p_2, pass.gamma[c], pass.beta[c]);
      functional::ThroughModulation{}(p_1, p_2, pass.modulation[at]);
    }
    pass.p_1[table] = p_1;
    pass.p_2[table] = p_2;
  }
};

/// dx of NormBackward from its p_1 and p_2, with one block for each sample and group.
template <class Act, class T, class X>
struct GroupNormInput {
  using Shared = TeamMemory<T>;
  static constexpr bool synchronises = true;
  NormGeometry g;
  NormBackward<T, X const*, X*> pass;

  template <Lane L>
  DIFFSIAM_KERNEL void operator()(L& lane, Shared& memory) const {
    NormGroup const group{g, lane.block()};
    auto const add = [](T a, T b) { return a + b; };
    T sum_1 = T(0), sum_2 = T(0);
    for (Index c = lane.thread(); c < group.channels; c += block_threads) {
      sum_1 += pass.p_1[group.table + c] * pass.gamma[group.channel + c];
      sum_2 += pass.p_2[group.table + c] * pass.gamma[group.channel + c];
    }
    T const size = static_cast<T>(group.size);
    T const m_1 = combine_team<Team::block>(lane, memory, sum_1, add) / size;
    T const m_2 = combine_team<Team::block>(lane, memory, sum_2, add) / size;
    for (Index i = lane.thread(); i < group.size; i += block_threads) {
      Division const at = divide(i, group.channels);
      Index const value = group.x + at.quotient * g.c + at.rest, table = group.table + at.rest;
      T const x = read<T>(pass.x, value);
      T dv, dx = T(0);
      functional::AffineActivateGradient<Act>{}(dv, read<T>(pass.dy, value), x, pass.scale[table],
                                                pass.shift[table]);
      functional::NormalisationGradient{}(dx, dv, x, pass.scale[table], pass.mean[table],
                                          pass.inverse_deviation[table], m_1, m_2);
      add_gradient(pass.dx, value, dx);
    }
  }
};

/// X is the type of x and y in memory.
template <class Device, class Act, class T, class X>
void group_norm(typename Device::Context& context, NormGeometry const& g,
                NormForward<T, X const*, X*> const& pass) {
  if (g.n * g.s == 0) return;
  Device::launch(context, g.n * g.groups, GroupNormForward<Act, T, X>{g, pass});
}
template <class Device, class Act, class T, class X>
void group_norm_gradient(typename Device::Context& context, NormGeometry const& g,
                         NormBackward<T, X const*, X*> const& pass) {
  if (g.n * g.s == 0) return;
  Index const column_blocks = blocks_for(g.c, warp_size);
  Device::launch(context, g.n * column_blocks, GroupNormSums<Act, T, X>{g, pass, column_blocks});
  if (pass.dx != nullptr) Device::launch(context, g.n * g.groups, GroupNormInput<Act, T, X>{g, pass});
}

}  // namespace diffsiam::backend::cuda
