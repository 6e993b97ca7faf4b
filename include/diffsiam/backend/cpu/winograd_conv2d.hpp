// 3x3 convolutions of the Cpu backend by Winograd's algorithm, and the gradient of their input, which is such
// a convolution with the kernel rotated by 180 degrees.
#pragma once

#include <cstddef>

#include <diffsiam/backend/cpu/winograd_tiles.hpp>
#include <diffsiam/backend/host/context.hpp>

namespace diffsiam::backend::cpu::winograd {

/// Transforms the nine weights of neighbouring input channels and calls store(position, vector).
template <class T, class Store>
DIFFSIAM_ALWAYS_INLINE void transform_kernel(T const* w, Index in, bool turned, Store const& store) {
  using V = Lanes<T>;
  transform<T, KernelTransform>(
      [&](int row, int column) {
        int const tap = 3 * row + column;
        return *reinterpret_cast<V const*>(w + (turned ? 8 - tap : tap) * in);
      },
      [&](int row, int column, V const& value) { store(static_cast<Index>(row * points + column), value); });
}

/// A panel of a transformed kernel: (depth / group, width, group) for each position, with `pitch` elements
/// from one position to the next. Its columns are channels [first, first + width) of the output.
template <class E>
struct KernelPanel {
  E* data;
  Index pitch, first, width;
};

/// Transforms w (out, 3, 3, in) for a convolution that reads `in` channels and writes `out`.
template <class T, class E>
void transform_weights(Index in, T const* w, KernelPanel<E> const& panel) {
  using V = Lanes<T>;
  constexpr Index block = lanes<T>, group = Summand<T, E>::group;
  alignas(64) E square[positions][block][block];  // (position, out, in)
  for (Index column = 0; column < panel.width; column += block)
    for (Index i = 0; i < in; i += block) {
      for (Index o = 0; o < block; ++o)
        transform_kernel<T>(w + (panel.first + column + o) * 9 * in + i, in, false,
                            [&](Index p, V const& value) { Summand<T, E>::store(square[p][o], value); });
      for (Index p = 0; p < positions; ++p) {
        E* const to = panel.data + p * panel.pitch + i * panel.width + column * group;
        for (Index k = 0; k < block; k += group)
          for (Index o = 0; o < block; ++o)
            for (Index j = 0; j < group; ++j) to[k * panel.width + o * group + j] = square[p][o][k + j];
      }
    }
}
/// The same with w rotated by 180 degrees, for a convolution that reads `out` channels and writes `in`.
template <class T, class E>
void transform_turned_weights(Index in, Index out, T const* w, KernelPanel<E> const& panel) {
  using V = Lanes<T>;
  constexpr Index group = Summand<T, E>::group;
  for (Index o = 0; o < out; o += group)
    for (Index i = 0; i < panel.width; i += lanes<T>) {
      V values[positions][group];
      for (Index j = 0; j < group; ++j)
        transform_kernel<T>(w + (o + j) * 9 * in + panel.first + i, in, true,
                            [&](Index p, V const& value) { values[p][j] = value; });
      for (Index p = 0; p < positions; ++p)
        Summand<T, E>::store_group(panel.data + p * panel.pitch + o * panel.width + i * group, values[p]);
    }
}

/// m (count, width) = v (count, depth) b (depth, width) for one position. Rows of m are `m_row` apart.
template <class T, class E>
void multiply_position(Index depth, Index count, E const* v, E const* b, Index width, T* m, Index m_row) {
  constexpr Index group = Summand<T, E>::group;
  Tile<T, E> tile;
  tile.a_step = group;
  tile.length = depth / group;
  tile.b = b;
  tile.b_pitch = width * group;
  tile.columns = width;
  tile.c_pitch = m_row;
  for (Index row = 0; row < count; row += tile_rows) {
    tile.rows = std::min(tile_rows, count - row);
    for (Index r = 0; r < tile_rows; ++r)
      tile.a[static_cast<std::size_t>(r)] = v + (row + std::min(r, tile.rows - 1)) * depth;
    tile.c = m + row * m_row;
    multiply(tile);
  }
}

/// The output of a convolution.
template <class T, class Y = T>
struct Target {
  Y* y;
  T const* bias;
  bool accumulate;  ///< only for an output in full precision
};

/// y (+)= bias + the outputs of a range of tiles, channels [first, first + width), from m (36, tiles, width).
template <class T, class Y>
void write_outputs(TileCut const& cut, TileRange const& range, Index first, Index width, T const* m,
                   Index pitch, Target<T, Y> const& target) {
  using V = Lanes<T>;
  for (Index tile = 0; tile < range.count; ++tile, m += width) {
    TilePlace const at = cut.place(range.first + tile);
    Y* const to = target.y + ((at.image * cut.g.h + at.row) * cut.g.w + at.column) * cut.g.out + first;
    int const rows = static_cast<int>(std::min(outputs, cut.g.h - at.row));
    int const columns = static_cast<int>(std::min(outputs, cut.g.w - at.column));
    for (Index c = 0; c < width; c += lanes<T>) {
      V const start = target.bias != nullptr ? *reinterpret_cast<V const*>(target.bias + first + c) : V{};
      transform<T, OutputTransform>(
          [&](int row, int column) {
            return *reinterpret_cast<V const*>(m + (row * points + column) * pitch + c);
          },
          [&](int row, int column, V const& value) {
            if (row >= rows || column >= columns) return;
            Y* const at_pixel = to + (row * cut.g.w + column) * cut.g.out + c;
            if constexpr (std::is_same_v<Y, T>) {
              V& pixel = *reinterpret_cast<V*>(at_pixel);
              pixel = target.accumulate ? pixel + value : value + start;
            } else {
              Summand<T, Y>::store(at_pixel, value + start);
            }
          });
    }
  }
}

/// A function that computes one panel of the kernel.
template <class E>
using FillPanel = FunctionRef<void(KernelPanel<E> const&)>;

/// The panel whose columns begin at `first`, in a whole kernel (36, panels, depth / group, width, group).
template <class T, class E>
[[nodiscard]] KernelPanel<E> panel_of(E* kernel, ConvGeometry const& g, Index first) {
  Index const width = panel_width<T>(g.out, first);
  return {kernel + g.in * first, g.in * g.out, first, width};
}
/// Number of elements of a whole kernel.
[[nodiscard]] inline Index kernel_elements(ConvGeometry const& g) {
  return positions * g.in * g.out;
}

// If there are many tiles, each block of them is multiplied with the whole kernel, from pixels to outputs.

template <class T, class E, class X, class Y>
void convolve_by_tiles(HostContext& context, TileCut const& cut, X const* x, E const* kernel,
                       std::byte* memory, Target<T, Y> const& target) {
  ConvGeometry const& g = cut.g;
  std::size_t const each = static_cast<std::size_t>(cut.elements(g.in)) * sizeof(E) +
                           static_cast<std::size_t>(cut.elements(g.out)) * sizeof(T);
  context.threads().run(cut.blocks, [&](Index block, int worker) {
    auto* const m = reinterpret_cast<T*>(memory + static_cast<std::size_t>(worker) * each);
    auto* const v = reinterpret_cast<E*>(m + cut.elements(g.out));
    TileRange const range = cut.range_of(block);
    Index const v_pitch = cut.block_tiles * g.in, m_pitch = cut.block_tiles * g.out;
    transform_tiles<T, ImageTransform>(cut, range, x, g.in, v, v_pitch);
    for (Index p = 0; p < positions; ++p)
      for (Index first = 0; first < g.out; first += panel_columns<T>) {
        auto const panel = panel_of<T>(kernel, g, first);
        multiply_position<T, E>(g.in, range.count, v + p * v_pitch, panel.data + p * panel.pitch, panel.width,
                                m + p * m_pitch + first, g.out);
      }
    write_outputs(cut, range, 0, g.out, m, m_pitch, target);
  });
}

// If there are few tiles, one panel of the kernel at a time is transformed and multiplied with all of them.

/// Which of the two ways is used: by panels if the kernel is several times as large as all tiles, or if the
/// tiles fill only one block.
[[nodiscard]] inline bool passes_by_panels(TileCut const& cut) {
  constexpr Index several = 4;
  return cut.blocks == 1 || several * cut.tiles * (cut.g.in + cut.g.out) <= cut.g.in * cut.g.out;
}

/// `kernel` is the whole kernel, or null; then `fill` computes one panel at a time.
template <class T, class E, class X, class Y>
void convolve_by_panels(HostContext& context, TileCut const& cut, X const* x, E const* kernel,
                        FillPanel<E> fill, std::byte* memory, Target<T, Y> const& target) {
  ConvGeometry const& g = cut.g;
  Index const tiles = cut.tiles;
  constexpr Index at_a_time = 4;
  E* const v = reinterpret_cast<E*>(memory);
  E* const panels = v + positions * tiles * g.in;
  auto const workers = static_cast<Index>(context.threads().threads());
  T* const products = reinterpret_cast<T*>(panels + workers * positions * g.in * panel_columns<T>);
  context.threads().run((tiles + at_a_time - 1) / at_a_time, [&](Index piece, int) {
    TileRange const range{piece * at_a_time, std::min(at_a_time, tiles - piece * at_a_time)};
    transform_tiles<T, ImageTransform>(cut, range, x, g.in, v + range.first * g.in, tiles * g.in);
  });
  context.threads().run((g.out + panel_columns<T> - 1) / panel_columns<T>, [&](Index piece, int worker) {
    Index const first = piece * panel_columns<T>, width = panel_width<T>(g.out, first);
    KernelPanel<E const> panel{};
    if (kernel != nullptr) {
      panel = panel_of<T>(kernel, g, first);
    } else {
      E* const own = panels + worker * positions * g.in * panel_columns<T>;
      fill({own, g.in * width, first, width});
      panel = {own, g.in * width, first, width};
    }
    T* const m = products + worker * positions * tiles * panel_columns<T>;
    for (Index p = 0; p < positions; ++p)
      multiply_position<T, E>(g.in, tiles, v + p * tiles * g.in, panel.data + p * panel.pitch, width,
                              m + p * tiles * width, width);
    write_outputs(cut, {0, tiles}, first, width, m, tiles * width, target);
  });
}

/// Bytes of workspace of conv2d. E is the type of operands.
template <class T, class E>
[[nodiscard]] std::size_t conv2d_workspace(ConvGeometry const& g, int threads) {
  TileCut const cut{g};
  Index const in_block = passes_by_panels(cut) ? g.in * panel_columns<T> : cut.block_tiles * g.in;
  Index const out_block = passes_by_panels(cut) ? cut.tiles * panel_columns<T> : cut.block_tiles * g.out;
  Index const shared = passes_by_panels(cut) ? positions * cut.tiles * g.in : kernel_elements(g);
  return static_cast<std::size_t>(shared + threads * positions * in_block) * sizeof(E) +
         static_cast<std::size_t>(threads * positions * out_block) * sizeof(T);
}

/// A convolution with a kernel that `fill` computes, unless it is kept from an earlier call.
template <class T, class E, class X, class Y>
void convolve(HostContext& context, ConvGeometry const& g, PrepackedWeights::Key const& key, X const* x,
              FillPanel<E> fill, Target<T, Y> const& target) {
  TileCut const cut{g};
  bool const by_panels = passes_by_panels(cut);
  auto const bytes = static_cast<std::size_t>(kernel_elements(g)) * sizeof(E);
  std::shared_ptr<void> kernel;
  if (!by_panels || context.prepacked_weights().keeping())
    kernel = context.prepacked_weights().get(
        context.threads(), key, bytes, [&](std::size_t size) { return context.allocate(size); },
        [&](void* to) {
          context.threads().run((g.out + panel_columns<T> - 1) / panel_columns<T>, [&](Index piece, int) {
            fill(panel_of<T>(static_cast<E*>(to), g, piece * panel_columns<T>));
          });
        });
  auto const* const whole = static_cast<E const*>(kernel.get());
  std::size_t const beside = conv2d_workspace<T, E>(g, context.threads().threads()) - (by_panels ? 0 : bytes);
  auto const memory = context.allocate(beside);
  auto* const begin = static_cast<std::byte*>(memory.get());
  if (by_panels)
    convolve_by_panels<T, E>(context, cut, x, whole, fill, begin, target);
  else
    convolve_by_tiles<T, E>(context, cut, x, whole, begin, target);
}

/// y = bias + convolution. E is the type of operands.
template <class E, class T, class X, class Y>
void conv2d(HostContext& context, ConvGeometry const& g, X const* x, T const* w, T const* bias, Y* y) {
  convolve<T, E>(
      context, g, PrepackedWeights::key_of(w, PrepackedWeights::Form::winograd, g.in, g.out, 3), x,
      [&](KernelPanel<E> const& panel) { transform_weights<T, E>(g.in, w, panel); },
      Target<T, Y>{y, bias, false});
}

/// The gradient is added to dx in full precision, and overwrites dx in low precision.
template <class E, class T, class X, class Y>
void conv2d_gradient_input(HostContext& context, ConvGeometry const& g, X const* dy, T const* w, Y* dx) {
  convolve<T, E>(
      context, {g.n, g.h, g.w, g.out, g.in, 3, 1},
      PrepackedWeights::key_of(w, PrepackedWeights::Form::turned_winograd, g.in, g.out, 3), dy,
      [&](KernelPanel<E> const& panel) { transform_turned_weights<T, E>(g.in, g.out, w, panel); },
      Target<T, Y>{dx, nullptr, true});
}

}  // namespace diffsiam::backend::cpu::winograd
