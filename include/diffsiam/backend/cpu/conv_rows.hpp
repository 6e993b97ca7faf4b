// How convolutions of the Cpu backend are divided: each piece is some whole output rows of one image, or
// several small images. A thread copies the input rows of its piece and adds borders of zeros. Then the input
// of every output pixel is `kernel` runs of kernel * in contiguous values.
#pragma once

#include <algorithm>
#include <type_traits>

#include <diffsiam/backend/cpu/bf16.hpp>
#include <diffsiam/core/products.hpp>

namespace diffsiam::backend::cpu {

/// The input of a piece. The input of output (image, row, column) begins at
/// data + image image_pitch + row stride row_pitch + column stride in.
template <class T>
struct ConvView {
  T const* data;
  Index row_pitch, image_pitch;
  Index images, rows;
  Index first_pixel;  ///< counted among the output pixels of the batch; the pixels of a piece are contiguous
};

/// How a convolution is divided into pieces.
struct ConvRows {
  ConvGeometry g;
  Index images = 1, rows = 1;  ///< of a piece; rows of one image are divided only if images == 1
  Index stripes = 1, pieces = 0;
  bool copies;  ///< whether input rows are copied; a 1x1 kernel needs a copy only to convert them

  explicit ConvRows(ConvGeometry const& geometry, bool converts = false)
      : g(geometry), copies(g.kernel > 1 || converts) {
    // The input of a piece fits into the L2 cache, and even a few images give enough pieces for several
    // threads.
    constexpr Index most = Index{1} << 16, group = Index{1} << 14, wanted = 16;
    Index const row = std::max<Index>(1, padded_w() * g.in);
    Index const fitting = std::max<Index>(1, (most / row - g.kernel) / g.stride + 1);
    Index const spread = std::max<Index>(1, g.out_h() * g.n / wanted);
    rows = std::clamp<Index>(std::min(fitting, std::max(spread, 64 / std::max<Index>(1, g.out_w()))), 1,
                             std::max<Index>(1, g.out_h()));
    stripes = (g.out_h() + rows - 1) / rows;
    if (stripes <= 1)
      images = std::clamp<Index>(group / (row * seen_rows()), 1, std::max<Index>(1, g.n / wanted));
    pieces = (g.n + images - 1) / images * stripes;
  }

  [[nodiscard]] Index padded_w() const { return g.w + 2 * g.padding(); }
  /// Number of input rows that the output rows of one image need.
  [[nodiscard]] Index seen_rows() const { return (rows - 1) * g.stride + g.kernel; }
  /// Elements of the copy that each thread needs.
  [[nodiscard]] Index copy_elements() const { return copies ? images * seen_rows() * padded_w() * g.in : 0; }
  /// Elements of the output of a piece.
  [[nodiscard]] Index output_elements() const { return images * rows * g.out_w() * g.out; }

  /// The input of `piece`, copied to `copy` if needed. E is the type that tiles read, X the type of the
  /// image.
  template <class E, class X>
  [[nodiscard]] ConvView<E> view(X const* x, Index piece, E* copy) const {
    Index const first_image = piece / stripes * images;
    Index const first_row = piece % stripes * rows;
    ConvView<E> v{copy,
                  padded_w() * g.in,
                  seen_rows() * padded_w() * g.in,
                  std::min(images, g.n - first_image),
                  std::min(rows, g.out_h() - first_row),
                  (first_image * g.out_h() + first_row) * g.out_w()};
    if constexpr (std::is_same_v<E, X>) {
      if (!copies) {
        v.data = x + (first_image * g.h + first_row * g.stride) * g.w * g.in;
        v.image_pitch = g.h * g.w * g.in;
        return v;
      }
    }
    Index const border = g.padding() * g.in;
    for (Index image = 0; image < v.images; ++image) {
      E* to = copy + image * v.image_pitch;
      for (Index row = 0; row < (v.rows - 1) * g.stride + g.kernel; ++row, to += v.row_pitch) {
        Index const h = first_row * g.stride + row - g.padding();
        if (h < 0 || h >= g.h) {
          std::fill_n(to, v.row_pitch, E{});
          continue;
        }
        std::fill_n(to, border, E{});
        convert(x + ((first_image + image) * g.h + h) * g.w * g.in, g.w * g.in, to + border);
        std::fill_n(to + border + g.w * g.in, border, E{});
      }
    }
    return v;
  }

 private:
  template <class X, class E>
  static void convert(X const* from, Index count, E* to) {
    if constexpr (std::is_same_v<X, E>)
      std::copy_n(from, count, to);
    else if constexpr (sizeof(X) < sizeof(E))
      widen(from, count, to);
    else
      narrow(from, count, to);
  }
};

}  // namespace diffsiam::backend::cpu
