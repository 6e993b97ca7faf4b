// 3x3 convolutions of the Cpu backend by Winograd's algorithm, and the gradient of their input, which is one
// with the kernel turned round.
#pragma once

#include <cstddef>

#include <diffsiam/backend/cpu/winograd_tiles.hpp>
#include <diffsiam/backend/host/context.hpp>

namespace diffsiam::backend::cpu::winograd {

/// A kernel's transform: for each position panels (in / group, panel width, group) of `out` columns. E is the
/// type of operands.
template <class E>
[[nodiscard]] std::size_t kernel_bytes(ConvGeometry const& g) {
  return static_cast<std::size_t>(positions * g.in * g.out) * sizeof(E);
}
/// For each worker the transform of a block, and its products.
template <class T, class E>
[[nodiscard]] std::size_t blocks_bytes(ConvGeometry const& g) {
  TileCut const cut{g};
  return static_cast<std::size_t>(cut.elements(g.in)) * sizeof(E) +
         static_cast<std::size_t>(cut.elements(g.out)) * sizeof(T);
}
template <class T, class E>
[[nodiscard]] std::size_t conv2d_workspace(ConvGeometry const& g, int threads) {
  return kernel_bytes<E>(g) + static_cast<std::size_t>(threads) * blocks_bytes<T, E>(g);
}

/// Nine taps of neighbouring input channels -> store(position, vector).
template <class T, class Store>
DIFFSIAM_ALWAYS_INLINE void transform_kernel(T const* w, Index in, bool turned, Store const& store) {
  using V = typename Vector<T>::Type;
  transform<T, KernelTransform>(
      [&](int row, int column) {
        int const tap = 3 * row + column;
        return *reinterpret_cast<V const*>(w + (turned ? 8 - tap : tap) * in);
      },
      [&](int row, int column, V const& value) { store(static_cast<Index>(row * points + column), value); });
}

/// w (out, 3, 3, in) as the kernel of a convolution from `in` to `out` channels.
template <class T, class E>
void transform_weights(HostContext& context, Index in, Index out, T const* w, E* kernel) {
  using V = typename Vector<T>::Type;
  constexpr Index block = lanes<T>, group = Summand<T, E>::group;
  context.threads().run(out / block, [&](Index piece, int) {
    alignas(64) E square[positions][block][block];  // (position, out, in)
    Index const first = piece * block, panel = first / panel_columns<T> * panel_columns<T>;
    Index const width = panel_width<T>(out, panel);
    for (Index i = 0; i < in; i += block) {
      for (Index o = 0; o < block; ++o)
        transform_kernel<T>(w + (first + o) * 9 * in + i, in, false,
                            [&](Index p, V const& value) { Summand<T, E>::store(square[p][o], value); });
      for (Index p = 0; p < positions; ++p) {
        E* const to = kernel + p * in * out + panel * in + i * width + (first - panel) * group;
        for (Index k = 0; k < block; k += group)
          for (Index o = 0; o < block; ++o)
            for (Index j = 0; j < group; ++j) to[k * width + o * group + j] = square[p][o][k + j];
      }
    }
  });
}
/// The same w, turned round, as the kernel of a convolution from `out` to `in` channels.
template <class T, class E>
void transform_turned_weights(HostContext& context, Index in, Index out, T const* w, E* kernel) {
  using V = typename Vector<T>::Type;
  constexpr Index group = Summand<T, E>::group;
  Index const rows = std::max<Index>(1, (Index{1} << 12) / in / group) * group;
  context.threads().run((out + rows - 1) / rows, [&](Index piece, int) {
    for (Index o = piece * rows; o < std::min((piece + 1) * rows, out); o += group)
      for (Index i = 0; i < in; i += lanes<T>) {
        Index const panel = i / panel_columns<T> * panel_columns<T>;
        E* const to = kernel + panel * out + o * panel_width<T>(in, panel) + (i - panel) * group;
        V values[positions][group];
        for (Index j = 0; j < group; ++j)
          transform_kernel<T>(w + (o + j) * 9 * in + i, in, true,
                              [&](Index p, V const& value) { values[p][j] = value; });
        for (Index p = 0; p < positions; ++p) Summand<T, E>::store_group(to + p * in * out, values[p]);
      }
  });
}

/// For each position: m (tiles, out) = v (tiles, in) kernel (in, out).
template <class T, class E>
void multiply_positions(TileCut const& cut, Index count, E const* v, E const* kernel, T* m) {
  constexpr Index group = Summand<T, E>::group;
  Index const in = cut.g.in, out = cut.g.out;
  Tile<T, E> tile;
  tile.a_step = group;
  tile.length = in / group;
  tile.c_pitch = out;
  for (Index p = 0; p < positions; ++p)
    for (Index column = 0; column < out; column += panel_columns<T>) {
      tile.b_pitch = panel_width<T>(out, column) * group;
      tile.b = kernel + p * in * out + column * in;
      tile.columns = std::min(panel_columns<T>, out - column);
      for (Index row = 0; row < count; row += tile_rows) {
        tile.rows = std::min(tile_rows, count - row);
        for (Index r = 0; r < tile_rows; ++r)
          tile.a[static_cast<std::size_t>(r)] =
              v + (p * cut.block_tiles + row + std::min(r, tile.rows - 1)) * in;
        tile.c = m + (p * cut.block_tiles + row) * out + column;
        multiply(tile);
      }
    }
}

/// y (+)= bias + the outputs of a block.
template <class T>
void write_outputs(TileCut const& cut, Index block, T const* m, T const* bias, T* y, bool accumulate) {
  using V = typename Vector<T>::Type;
  Index const out = cut.g.out, pitch = cut.block_tiles * out;
  for (Index tile = 0; tile < cut.tiles_of(block); ++tile) {
    TilePlace const at = cut.place(block * cut.block_tiles + tile);
    T* const to = y + ((at.image * cut.g.h + at.row) * cut.g.w + at.column) * out;
    int const rows = static_cast<int>(std::min(outputs, cut.g.h - at.row));
    int const columns = static_cast<int>(std::min(outputs, cut.g.w - at.column));
    for (Index c = 0; c < out; c += lanes<T>) {
      V const start = bias != nullptr ? *reinterpret_cast<V const*>(bias + c) : V{};
      transform<T, OutputTransform>(
          [&](int row, int column) {
            return *reinterpret_cast<V const*>(m + (row * points + column) * pitch + tile * out + c);
          },
          [&](int row, int column, V const& value) {
            if (row >= rows || column >= columns) return;
            V& pixel = *reinterpret_cast<V*>(to + (row * cut.g.w + column) * out + c);
            pixel = accumulate ? pixel + value : value + start;
          });
    }
  }
}

/// With a transformed kernel.
template <class T, class E>
void convolve(HostContext& context, ConvGeometry const& g, T const* x, E const* kernel, T const* bias, T* y,
              bool accumulate) {
  TileCut const cut{g};
  std::size_t const each = blocks_bytes<T, E>(g);
  auto const memory = context.allocate(static_cast<std::size_t>(context.threads().threads()) * each);
  context.threads().run(cut.blocks, [&](Index block, int worker) {
    auto* const m =
        reinterpret_cast<T*>(static_cast<std::byte*>(memory.get()) + static_cast<std::size_t>(worker) * each);
    auto* const v = reinterpret_cast<E*>(m + cut.elements(g.out));
    transform_block<T, ImageTransform>(cut, block, x, g.in, v);
    multiply_positions(cut, cut.tiles_of(block), v, kernel, m);
    write_outputs(cut, block, m, bias, y, accumulate);
  });
}

template <class E, class T>
void conv2d(HostContext& context, ConvGeometry const& g, T const* x, T const* w, T const* bias, T* y) {
  auto const kernel = context.kernels().get(
      {w, KernelCache::Form::winograd, g.in, g.out, 3}, kernel_bytes<E>(g),
      [&](std::size_t bytes) { return context.allocate(bytes); },
      [&](void* to) { transform_weights(context, g.in, g.out, w, static_cast<E*>(to)); });
  convolve(context, g, x, static_cast<E const*>(kernel.get()), bias, y, false);
}

/// Adds into dx.
template <class E, class T>
void conv2d_gradient_input(HostContext& context, ConvGeometry const& g, T const* dy, T const* w, T* dx) {
  ConvGeometry const back{g.n, g.h, g.w, g.out, g.in, 3, 1};
  auto const kernel = context.kernels().get(
      {w, KernelCache::Form::turned_winograd, g.in, g.out, 3}, kernel_bytes<E>(back),
      [&](std::size_t bytes) { return context.allocate(bytes); },
      [&](void* to) { transform_turned_weights(context, g.in, g.out, w, static_cast<E*>(to)); });
  convolve<T>(context, back, dy, static_cast<E const*>(kernel.get()), nullptr, dx, true);
}

}  // namespace diffsiam::backend::cpu::winograd
