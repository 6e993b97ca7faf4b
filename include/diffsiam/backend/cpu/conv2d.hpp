// Convolutions of the Cpu backend by direct sums, and the gradient of their input. Each call packs the
// weights into panels (kh, kw, in, out), and tiles of output pixels are multiplied with them.
#pragma once

#include <memory>

#include <diffsiam/backend/cpu/conv_rows.hpp>
#include <diffsiam/backend/cpu/gemm.hpp>

namespace diffsiam::backend::cpu {

namespace detail {

/// Number of elements of packed weights: `depth` rows of padded columns.
template <class T>
[[nodiscard]] Index packed_elements(Index depth, Index columns) {
  return depth * padded_columns<T>(columns);
}

/// Packs weights into panels (depth / group, width, group). The element at (k, column) is weight(k, column).
/// E is the type of operands.
template <class T, class E, class Weight>
void pack_weights(HostContext& context, Index depth, Index columns, E* packed, Weight weight) {
  constexpr Index group = Summand<T, E>::group;
  Index const rows = std::max<Index>(16, (Index{1} << 14) / std::max<Index>(1, columns));
  context.threads().run((depth + rows - 1) / rows, [&](Index piece, int) {
    for (Index column = 0; column < columns; column += panel_columns<T>) {
      Index const width = panel_width<T>(columns, column);
      for (Index k = piece * rows; k < std::min((piece + 1) * rows, depth); ++k)
        for (Index j = 0; j < width; ++j)
          packed[column * depth + (k / group * width + j) * group + k % group] =
              column + j < columns ? E(weight(k, column + j)) : E{};
    }
  });
}

/// Columns [first, last) of the output of a convolution.
struct ColumnRange {
  Index first, last;
};

/// y (pixels of the piece, out) (+)= bias + convolution, for some columns of one piece.
template <class T, class E>
void convolve(ConvGeometry const& g, ConvView<E> const& x, ColumnRange const& columns, E const* packed,
              T const* bias, T* y, bool accumulate) {
  constexpr Index group = Summand<T, E>::group;
  Index const pixels = x.images * x.rows * g.out_w();
  Tile<T, E> tile;
  tile.a_step = group;
  tile.runs = g.kernel;
  tile.run_pitch = x.row_pitch;
  tile.length = g.kernel * g.in / group;
  tile.c_pitch = g.out;
  tile.accumulate = accumulate;
  for (Index column = columns.first; column < columns.last; column += panel_columns<T>) {
    tile.b_pitch = panel_width<T>(g.out, column) * group;
    tile.b = packed + column * g.depth();
    tile.start = bias == nullptr ? nullptr : bias + column;
    tile.columns = std::min(panel_columns<T>, g.out - column);
    Index image = 0, row = 0, w = 0;
    for (Index pixel = 0; pixel < pixels; pixel += tile_rows) {
      tile.rows = std::min(tile_rows, pixels - pixel);
      for (Index r = 0; r < tile_rows; ++r) {
        if (r >= tile.rows) {
          tile.a[static_cast<std::size_t>(r)] = tile.a[0];
          continue;
        }
        tile.a[static_cast<std::size_t>(r)] =
            x.data + image * x.image_pitch + row * g.stride * x.row_pitch + w * g.stride * g.in;
        if (++w == g.out_w()) {
          w = 0;
          if (++row == x.rows) row = 0, ++image;
        }
      }
      tile.c = y + pixel * g.out + column;
      multiply(tile);
    }
  }
}

/// Number of output pixels whose patches are scattered at a time.
inline constexpr Index scatter_pixels = 8 * tile_rows;

/// image += rows (count, depth): adds each patch of the outputs [first, first + count) to its place.
template <class T>
void scatter(ConvGeometry const& g, T const* rows, Index first, Index count, T* image) {
  for (Index pixel = first; pixel < first + count; ++pixel) {
    Index const w = pixel % g.out_w() * g.stride - g.padding();
    Index const left = std::max<Index>(0, -w), right = std::min(g.kernel, g.w - w);
    for (Index kh = 0; kh < g.kernel; ++kh, rows += g.kernel * g.in) {
      Index const h = pixel / g.out_w() * g.stride + kh - g.padding();
      if (h < 0 || h >= g.h) continue;
      T* const to = image + (h * g.w + w + left) * g.in;
      T const* const from = rows + left * g.in;
      for (Index i = 0; i < (right - left) * g.in; ++i) to[i] += from[i];
    }
  }
}

}  // namespace detail

/// Bytes of workspace of conv2d. `low` means that its output is in low precision.
template <class T, class E = T, class X = E>
[[nodiscard]] std::size_t conv2d_workspace(ConvGeometry const& g, int threads, bool low = false) {
  ConvRows const cut{g, !std::is_same_v<E, X>};
  Index const sums = padded_columns<T>(g.out) + (low ? threads * cut.output_elements() : 0);
  Index const operands = detail::packed_elements<T>(g.depth(), g.out) + threads * cut.copy_elements();
  return static_cast<std::size_t>(sums) * sizeof(T) + static_cast<std::size_t>(operands) * sizeof(E);
}
/// At stride 1 the gradient of the input is itself a convolution, with the kernel rotated by 180 degrees.
[[nodiscard]] inline ConvGeometry turned(ConvGeometry const& g) {
  return {g.n, g.h, g.w, g.out, g.in, g.kernel, 1};
}
template <class T>
[[nodiscard]] std::size_t conv2d_gradient_input_workspace(ConvGeometry const& g, int threads) {
  if (g.stride == 1) return conv2d_workspace<T>(turned(g), threads);
  return static_cast<std::size_t>(threads * detail::scatter_pixels * g.depth()) * sizeof(T);
}

namespace detail {

/// Packed weights, kept or packed now. The element at (k, column) is weight(k, column).
template <class T, class E, class Weight>
[[nodiscard]] std::shared_ptr<void> packed_weights(HostContext& context, PrepackedWeights::Key const& key,
                                                   Index depth, Index columns, Weight weight) {
  return context.prepacked_weights().get(
      context.threads(), key, static_cast<std::size_t>(packed_elements<T>(depth, columns)) * sizeof(E),
      [&](std::size_t bytes) { return context.allocate(bytes); },
      [&](void* to) { pack_weights<T>(context, depth, columns, static_cast<E*>(to), weight); });
}

/// y (+)= bias + convolution with packed weights. X is the type of the image, Y that of the output. The
/// result is accumulated only if Y is T; in low precision y is overwritten.
template <class T, class E, class X, class Y>
void convolve_all(HostContext& context, ConvGeometry const& g, X const* x, E const* packed, T const* bias,
                  Y* y, bool accumulate) {
  constexpr bool narrows = !std::is_same_v<Y, T>;
  ConvRows const cut{g, !std::is_same_v<E, X>};
  Index const padded = padded_columns<T>(g.out), copy = cut.copy_elements();
  Index const output = narrows ? cut.output_elements() : 0, workers = context.threads().threads();
  auto const memory = context.allocate(static_cast<std::size_t>(padded + workers * output) * sizeof(T) +
                                       static_cast<std::size_t>(workers * copy) * sizeof(E));
  T* const start = static_cast<T*>(memory.get());
  T* const outputs = start + padded;
  E* const copies = reinterpret_cast<E*>(outputs + workers * output);
  if (bias != nullptr) std::fill(std::copy_n(bias, g.out, start), outputs, T(0));
  // If there are few pieces (a single small image), they are divided once more, by columns.
  constexpr Index few = 4, least_products = Index{1} << 17;
  Index const panels = padded / panel_columns<T> + (padded % panel_columns<T> != 0);
  Index const products = g.n * g.out_h() * g.out_w() * g.out * g.depth() / std::max<Index>(1, cut.pieces);
  Index const slices =
      std::clamp<Index>(std::min(few / std::max<Index>(1, cut.pieces), products / least_products), 1, panels);
  Index const columns = (panels + slices - 1) / slices * panel_columns<T>;
  context.threads().run(cut.pieces * slices, [&](Index piece, int worker) {
    auto const view = cut.view(x, piece / slices, copies + worker * copy);
    Index const first = piece % slices * columns;
    ColumnRange const written{first, std::min(first + columns, g.out)};
    T const* const from = bias == nullptr ? nullptr : start;
    Y* const to = y + view.first_pixel * g.out;
    if constexpr (narrows) {
      T* const full = outputs + worker * output;
      convolve(g, view, written, packed, from, full, false);
      for (Index pixel = 0; pixel < view.images * view.rows * g.out_w(); ++pixel)
        narrow(full + pixel * g.out + first, written.last - first, to + pixel * g.out + first);
    } else {
      convolve(g, view, written, packed, from, to, accumulate);
    }
  });
}

}  // namespace detail

/// y = bias + convolution. E is the type of operands; kernel * in must be a multiple of its group.
template <class E, class T, class X, class Y>
void conv2d(HostContext& context, ConvGeometry const& g, X const* x, T const* w, T const* bias, Y* y) {
  Index const depth = g.depth();
  auto const packed = detail::packed_weights<T, E>(
      context, PrepackedWeights::key_of(w, PrepackedWeights::Form::panels, g.in, g.out, g.kernel), depth,
      g.out, [=](Index k, Index o) { return w[o * depth + k]; });
  detail::convolve_all<T, E>(context, g, x, static_cast<E const*>(packed.get()), bias, y, false);
}

/// The gradient of the input at stride 1. It is added to dx in full precision, and overwrites dx in low
/// precision. E is the type of operands; kernel * out must be a multiple of its group.
template <class E, class T, class X, class Y>
void conv2d_gradient_input_unstrided(HostContext& context, ConvGeometry const& g, X const* dy, T const* w,
                                     Y* dx) {
  ConvGeometry const back = turned(g);
  Index const depth = g.depth(), last_tap = g.kernel * g.kernel - 1;
  auto const packed = detail::packed_weights<T, E>(
      context, PrepackedWeights::key_of(w, PrepackedWeights::Form::turned_panels, g.in, g.out, g.kernel),
      back.depth(), g.in,
      [=](Index k, Index i) { return w[k % g.out * depth + (last_tap - k / g.out) * g.in + i]; });
  detail::convolve_all<T, E, X, Y>(context, back, dy, static_cast<E const*>(packed.get()), nullptr, dx, true);
}

/// Adds the gradient of the input to dx.
template <class T>
void conv2d_gradient_input(HostContext& context, ConvGeometry const& g, T const* dy, T const* w, T* dx) {
  Index const depth = g.depth();
  if (g.stride == 1) return conv2d_gradient_input_unstrided<T>(context, g, dy, w, dx);
  auto const memory = context.allocate(conv2d_gradient_input_workspace<T>(g, context.threads().threads()));
  T* const workspace = static_cast<T*>(memory.get());
  Index const pixels = g.out_h() * g.out_w();
  context.threads().run(g.n, [&](Index n, int worker) {
    T* const patches = workspace + worker * detail::scatter_pixels * depth;
    for (Index first = 0; first < pixels; first += detail::scatter_pixels) {
      Index const count = std::min(detail::scatter_pixels, pixels - first);
      for (Index column = 0; column < depth; column += panel_columns<T>)
        multiply_panel<T>(count, std::min(panel_columns<T>, depth - column), g.out,
                          {dy + (n * pixels + first) * g.out, g.out}, {w + column, depth},
                          {patches + column, depth}, T(1), false);
      detail::scatter(g, patches, first, count, dx + n * g.h * g.w * g.in);
    }
  });
}

}  // namespace diffsiam::backend::cpu
