// Converts between our layouts of weights and those of PyTorch:
//   convolutions                              (o, h, w, i) here, (o, i, h, w) there
//   columns of a linear weight after flatten  in the order (h, w, c) here, (c, h, w) there
//   1-d convolutions                          (o, i) here, (o, i, 1) there
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <diffsiam/value/parameter.hpp>

namespace diffsiam::io {

namespace detail {

/// A weight as `outer` blocks, which are (positions, channels) here and (channels, positions) there.
struct Blocks {
  Index outer = 1, positions = 1, channels = 1;
};

/// Throws ShapeError if layout and shape do not fit.
[[nodiscard]] inline Blocks blocks_of(PublishedLayout const& layout, Shape const& shape) {
  using Kind = PublishedLayout::Kind;
  switch (layout.kind) {
    case Kind::conv:
      require_rank("published_layout", 4, shape, "(out, h, w, in)");
      return {shape[0], shape[1] * shape[2], shape[3]};
    case Kind::flattened: {
      require_rank("published_layout", 2, shape, "(out, h * w * c)");
      Index const positions = layout.h * layout.w;
      if (positions < 1 || shape[1] % positions != 0)
        fail<ShapeError>(
            "published_layout",
            "columns that are a multiple of " + std::to_string(layout.h) + " x " + std::to_string(layout.w),
            shape);
      return {shape[0], positions, shape[1] / positions};
    }
    case Kind::conv_1d:
      require_rank("published_layout", 2, shape, "(out, in)");
      [[fallthrough]];
    case Kind::same:
      break;
  }
  return {shape.size(), 1, 1};
}

/// Transposes every block from (rows, columns) to (columns, rows).
template <class T>
[[nodiscard]] std::vector<T> transposed(std::vector<T> const& values, Index outer, Index rows,
                                        Index columns) {
  std::vector<T> result(values.size());
  for (Index block = 0; block < outer; ++block)
    for (Index row = 0; row < rows; ++row)
      for (Index column = 0; column < columns; ++column)
        result[static_cast<std::size_t>((block * columns + column) * rows + row)] =
            values[static_cast<std::size_t>((block * rows + row) * columns + column)];
  return result;
}

}  // namespace detail

/// The shape of a weight in PyTorch.
[[nodiscard]] inline std::vector<std::int64_t> published_shape(PublishedLayout const& layout,
                                                               Shape const& shape) {
  using Kind = PublishedLayout::Kind;
  if (layout.kind == Kind::conv) return {shape[0], shape[3], shape[1], shape[2]};
  std::vector<std::int64_t> result;
  for (int axis = 0; axis < shape.rank(); ++axis) result.push_back(shape[axis]);
  if (layout.kind == Kind::conv_1d) result.push_back(1);
  return result;
}

/// The values of a weight of `shape` in the order of PyTorch. Throws ShapeError if layout and shape do not
/// fit.
template <class T>
[[nodiscard]] std::vector<T> to_published(PublishedLayout const& layout, Shape const& shape,
                                          std::vector<T> values) {
  detail::Blocks const b = detail::blocks_of(layout, shape);
  if (b.positions == 1 || b.channels == 1) return values;
  return detail::transposed(values, b.outer, b.positions, b.channels);
}

/// The inverse of to_published.
template <class T>
[[nodiscard]] std::vector<T> from_published(PublishedLayout const& layout, Shape const& shape,
                                            std::vector<T> values) {
  detail::Blocks const b = detail::blocks_of(layout, shape);
  if (b.positions == 1 || b.channels == 1) return values;
  return detail::transposed(values, b.outer, b.channels, b.positions);
}

}  // namespace diffsiam::io
