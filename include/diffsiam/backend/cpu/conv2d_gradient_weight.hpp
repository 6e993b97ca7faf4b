// The gradient of the weights of a convolution in the Cpu backend: dw[o, kh, kw, i] = the sum over output
// pixels of their input at (kh, kw, i) times dy. The batch is divided into a fixed number of parts, and the
// sums of the parts are added in order.
#pragma once

#include <diffsiam/backend/cpu/conv_rows.hpp>
#include <diffsiam/backend/host/context.hpp>

namespace diffsiam::backend::cpu {

namespace detail {

/// The work is divided into parts times panels of output channels. This depends only on the shape, so that
/// the order of additions does not depend on threads. With many channels there are fewer parts, to save
/// memory.
struct WeightGradientParts {
  Index panels, parts;
  template <class T>
  [[nodiscard]] static WeightGradientParts of(ConvGeometry const& g, ConvRows const& cut) {
    Index const panels = std::max<Index>(1, (g.out + panel_columns<T> - 1) / panel_columns<T>);
    return {panels, std::clamp<Index>(16 / panels, 1, std::max<Index>(1, cut.pieces))};
  }
};

/// Elements of a copy of dy, which is needed if its last panel would be read beyond its end; otherwise 0.
template <class T>
[[nodiscard]] Index dy_copy_elements(ConvGeometry const& g, ConvRows const& cut) {
  return g.out % lanes<T> == 0 ? 0 : cut.images * cut.rows * g.out_w() * panel_columns<T>;
}

/// sums (depth, width) += the sums over one piece, for one panel of output channels.
template <class T>
void add_weight_gradient(ConvGeometry const& g, ConvView<T> const& x, T const* dy, Index dy_pitch,
                         Index width, T* sums) {
  Index const row_size = g.kernel * g.in;
  Tile<T> tile;
  tile.a_step = g.stride * g.in;
  tile.run_pitch = g.stride * x.row_pitch;
  tile.runs = x.rows;
  tile.length = g.out_w();
  tile.b_pitch = dy_pitch;
  tile.c_pitch = tile.columns = width;
  tile.accumulate = true;
  for (Index image = 0; image < x.images; ++image) {
    tile.b = dy + image * x.rows * g.out_w() * dy_pitch;
    for (Index kh = 0; kh < g.kernel; ++kh)
      for (Index row = 0; row < row_size; row += tile_rows) {
        tile.rows = std::min(tile_rows, row_size - row);
        T const* const first = x.data + image * x.image_pitch + kh * x.row_pitch + row;
        for (Index r = 0; r < tile_rows; ++r)
          tile.a[static_cast<std::size_t>(r)] = first + std::min(r, tile.rows - 1);
        tile.c = sums + (kh * row_size + row) * width;
        multiply(tile);
      }
  }
}

/// dw (out, depth) += the parts; each of them is panels (depth, width).
template <class T>
void add_parts(HostContext& context, Index depth, Index out, Index parts, T* partial, T* dw) {
  Index const part_size = depth * padded_columns<T>(out);
  Index const rows = std::max<Index>(16, (Index{1} << 14) / (padded_columns<T>(out) * parts));
  context.threads().run((depth + rows - 1) / rows, [&](Index piece, int) {
    Index const first = piece * rows, count = std::min(rows, depth - first);
    for (Index column = 0; column < out; column += panel_columns<T>) {
      Index const width = panel_width<T>(out, column);
      T* const sums = partial + column * depth + first * width;
      for (Index part = 1; part < parts; ++part) {
        T const* const from = sums + part * part_size;
        for (Index i = 0; i < count * width; ++i) sums[i] += from[i];
      }
      for (Index j = 0; j < std::min(width, out - column); ++j)
        for (Index k = 0; k < count; ++k) dw[(column + j) * depth + first + k] += sums[k * width + j];
    }
  });
}

}  // namespace detail

/// Bytes of workspace of conv2d_gradient_weight. X is the type of the image.
template <class T, class X = T>
[[nodiscard]] std::size_t conv2d_gradient_weight_workspace(ConvGeometry const& g, int threads) {
  ConvRows const cut{g, !std::is_same_v<X, T>};
  auto const [panels, parts] = detail::WeightGradientParts::of<T>(g, cut);
  Index const elements = parts * g.depth() * padded_columns<T>(g.out) +
                         threads * (cut.copy_elements() + detail::dy_copy_elements<T>(g, cut));
  return static_cast<std::size_t>(elements) * sizeof(T);
}

/// Adds the gradient of the weights to dw.
template <class T, class X>
void conv2d_gradient_weight(HostContext& context, ConvGeometry const& g, X const* x, T const* dy, T* dw) {
  auto const memory =
      context.allocate(conv2d_gradient_weight_workspace<T, X>(g, context.threads().threads()));
  ConvRows const cut{g, !std::is_same_v<X, T>};
  auto const [panels, parts] = detail::WeightGradientParts::of<T>(g, cut);
  Index const depth = g.depth(), columns = padded_columns<T>(g.out);
  Index const copy_elements = cut.copy_elements(), dy_copy_elements = detail::dy_copy_elements<T>(g, cut);
  T* const partial = static_cast<T*>(memory.get());
  T* const copies = partial + parts * depth * columns;
  context.threads().run(
      parts * panels, [&, panel_count = panels, part_count = parts](Index unit, int worker) {
        Index const part = unit / panel_count, column = unit % panel_count * panel_columns<T>;
        Index const width = panel_width<T>(g.out, column), used = std::min(width, g.out - column);
        T* const sums = partial + part * depth * columns + column * depth;
        T* const copy = copies + worker * (copy_elements + dy_copy_elements);
        T* const dy_copy = copy + copy_elements;
        std::fill_n(sums, depth * width, T(0));
        for (Index piece = part * cut.pieces / part_count; piece < (part + 1) * cut.pieces / part_count;
             ++piece) {
          auto const view = cut.view(x, piece, copy);
          T const* from = dy + view.first_pixel * g.out + column;
          Index pitch = g.out;
          if (used < width) {
            for (Index pixel = 0; pixel < view.images * view.rows * g.out_w(); ++pixel)
              std::fill(std::copy_n(from + pixel * g.out, used, dy_copy + pixel * width),
                        dy_copy + (pixel + 1) * width, T(0));
            from = dy_copy;
            pitch = width;
          }
          detail::add_weight_gradient(g, view, from, pitch, width, sums);
        }
      });
  detail::add_parts(context, depth, g.out, parts, partial, dw);
}

}  // namespace diffsiam::backend::cpu
