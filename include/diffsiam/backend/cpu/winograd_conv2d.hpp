// 3x3 convolutions of the Cpu backend by Winograd's algorithm, and the gradient of their input, which is one
// with the kernel turned round.
#pragma once

#include <diffsiam/backend/cpu/winograd_tiles.hpp>
#include <diffsiam/backend/host/context.hpp>

namespace diffsiam::backend::cpu::winograd {

/// Elements of transformed weights: for each position panels (in, panel width) of padded_columns(out).
[[nodiscard]] inline Index kernel_elements(ConvGeometry const& g) {
  return positions * g.in * g.out;
}

template <class T>
[[nodiscard]] std::size_t conv2d_workspace(ConvGeometry const& g, int threads) {
  return static_cast<std::size_t>(kernel_elements(g) + threads * TileCut{g}.elements(g.in + g.out)) *
         sizeof(T);
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
template <class T>
void transform_weights(HostContext& context, Index in, Index out, T const* w, T* kernel) {
  using V = typename Vector<T>::Type;
  constexpr Index block = lanes<T>;
  context.threads().run(out / block, [&](Index piece, int) {
    alignas(64) T square[positions][block][block];  // (position, out, in)
    Index const first = piece * block, panel = first / panel_columns<T> * panel_columns<T>;
    Index const width = panel_width<T>(out, panel);
    for (Index i = 0; i < in; i += block) {
      for (Index o = 0; o < block; ++o)
        transform_kernel<T>(w + (first + o) * 9 * in + i, in, false,
                            [&](Index p, V const& value) { *reinterpret_cast<V*>(square[p][o]) = value; });
      for (Index p = 0; p < positions; ++p) {
        T* const to = kernel + p * in * out + panel * in + i * width + (first - panel);
        for (Index k = 0; k < block; ++k)
          for (Index o = 0; o < block; ++o) to[k * width + o] = square[p][o][k];
      }
    }
  });
}
/// The same w, turned round, as the kernel of a convolution from `out` to `in` channels.
template <class T>
void transform_turned_weights(HostContext& context, Index in, Index out, T const* w, T* kernel) {
  using V = typename Vector<T>::Type;
  Index const rows = std::max<Index>(1, (Index{1} << 12) / in);
  context.threads().run((out + rows - 1) / rows, [&](Index piece, int) {
    for (Index o = piece * rows; o < std::min((piece + 1) * rows, out); ++o)
      for (Index i = 0; i < in; i += lanes<T>) {
        Index const panel = i / panel_columns<T> * panel_columns<T>;
        T* const to = kernel + panel * out + o * panel_width<T>(in, panel) + (i - panel);
        transform_kernel<T>(w + o * 9 * in + i, in, true, [&](Index p, V const& value) {
          *reinterpret_cast<V*>(to + p * in * out) = value;
        });
      }
  });
}

/// For each position: m (tiles, out) = v (tiles, in) kernel (in, out).
template <class T>
void multiply_positions(TileCut const& cut, Index count, T const* v, T const* kernel, T* m) {
  Index const in = cut.g.in, out = cut.g.out;
  Tile<T> tile;
  tile.length = in;
  tile.c_pitch = out;
  for (Index p = 0; p < positions; ++p)
    for (Index column = 0; column < out; column += panel_columns<T>) {
      tile.b_pitch = panel_width<T>(out, column);
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

/// With a transformed kernel; `buffers` of elements(in + out) for each worker.
template <class T>
void convolve(HostContext& context, ConvGeometry const& g, T const* x, T const* kernel, T const* bias, T* y,
              bool accumulate, T* buffers) {
  TileCut const cut{g};
  context.threads().run(cut.blocks, [&](Index block, int worker) {
    T* const v = buffers + worker * cut.elements(g.in + g.out);
    T* const m = v + cut.elements(g.in);
    transform_block<T, ImageTransform>(cut, block, x, g.in, v);
    multiply_positions(cut, cut.tiles_of(block), v, kernel, m);
    write_outputs(cut, block, m, bias, y, accumulate);
  });
}

template <class T>
void conv2d(HostContext& context, ConvGeometry const& g, T const* x, T const* w, T const* bias, T* y) {
  auto const memory = context.allocate(conv2d_workspace<T>(g, context.threads().threads()));
  T* const kernel = static_cast<T*>(memory.get());
  transform_weights(context, g.in, g.out, w, kernel);
  convolve(context, g, x, kernel, bias, y, false, kernel + kernel_elements(g));
}

/// Adds into dx.
template <class T>
void conv2d_gradient_input(HostContext& context, ConvGeometry const& g, T const* dy, T const* w, T* dx) {
  ConvGeometry const back{g.n, g.h, g.w, g.out, g.in, 3, 1};
  auto const memory = context.allocate(conv2d_workspace<T>(back, context.threads().threads()));
  T* const kernel = static_cast<T*>(memory.get());
  transform_turned_weights(context, g.in, g.out, w, kernel);
  convolve<T>(context, back, dy, kernel, nullptr, dx, true, kernel + kernel_elements(back));
}

}  // namespace diffsiam::backend::cpu::winograd
