// Grids and operands: how element-wise operations and reductions describe what they iterate over. A grid has
// five extents, the last one the fastest. An operand has a stride for each extent, 0 where it is repeated.
#pragma once

#include <array>
#include <cstddef>
#include <type_traits>
#include <utility>

#include <diffsiam/core/mixed_pointer.hpp>
#include <diffsiam/core/shape.hpp>

namespace diffsiam {

/// Five extents or strides, the outermost first.
using Extents5 = std::array<Index, 5>;

/// Loop extents, outermost first.
struct Grid {
  Extents5 extent{1, 1, 1, 1, 1};  ///< each at least 1, or the grid is empty

  /// The number of points.
  [[nodiscard]] constexpr Index size() const {
    Index product = 1;
    for (Index e : extent) product *= e;
    return product;
  }
};

/// Merges each axis of `grid` into the next inner one where all operands cross both with one stride. Merged
/// axes get extent 1, and the innermost other axis that still loops becomes axis 3. `each(f)` calls f with
/// the strides of every operand.
template <class Each>
void merge_extents(Grid& grid, Each const& each) {
  std::size_t inner = 4;
  for (std::size_t axis = 4; axis-- > 0;) {
    if (grid.extent[axis] == 1) continue;
    bool mergeable = true;
    each([&](Extents5& stride) {
      mergeable = mergeable && stride[axis] == stride[inner] * grid.extent[inner];
    });
    if (mergeable) {
      grid.extent[inner] *= std::exchange(grid.extent[axis], 1);
    } else {
      inner = axis;
    }
  }
  std::size_t to = 3;
  for (std::size_t axis = 4; axis-- > 0;) {
    if (grid.extent[axis] == 1) continue;
    std::swap(grid.extent[axis], grid.extent[to]);
    each([&](Extents5& stride) { std::swap(stride[axis], stride[to]); });
    --to;
  }
}

namespace detail {

/// What an operand points with: a pointer, or a MixedPointer.
template <class T>
struct Place {
  using Type = T*;
};
template <class T, class C>
struct Place<MixedPointer<T, C>> {
  using Type = MixedPointer<T, C>;
};

[[noreturn]] DIFFSIAM_OUT_OF_LINE inline void refuse_inner_stride(int inner, Index stride) {
  fail<ShapeError>("Operand", {"a stride of ", inner, " along the last extent, as its type says"}, stride,
                   "Operand<T, 1> moves along the last extent, Operand<T, 0> is repeated");
}

}  // namespace detail

/// Memory seen from a grid. Inner, the stride along the last extent, is 1 or 0 and known to the compiler, so
/// that inner loops vectorise. T may be a MixedPointer.
template <class T, int Inner>
struct Operand {
  static_assert(Inner == 0 || Inner == 1,
                "An operand is contiguous (1) or repeated (0) along the last extent.");
  /// The type of the elements.
  using Value = T;
  /// What points to them: a pointer, or a MixedPointer.
  using Place = typename detail::Place<T>::Type;
  /// The stride along the last extent.
  static constexpr int inner = Inner;
  Place data;                          ///< the element at the first point of the grid
  Extents5 stride{0, 0, 0, 0, Inner};  ///< in elements, for each extent of the grid

  /// Repeats one value (Inner 0), or repeats one row (Inner 1), at every point of the outer four extents.
  constexpr explicit Operand(Place place) : data(place) {}
  /// Throws ShapeError unless the last stride is Inner, because some backends read the one and some the
  /// other.
  constexpr Operand(Place place, Extents5 const& strides) : data(place), stride(strides) {
    if (strides[4] != Inner) detail::refuse_inner_stride(Inner, strides[4]);
  }
};

/// Whether an operand may be in low precision.
template <class O>
inline constexpr bool may_be_low_precision = false;
template <class T, class C, int Inner>
inline constexpr bool may_be_low_precision<Operand<MixedPointer<T, C>, Inner>> = true;

/// An operand that is in full precision.
template <class T, int Inner>
[[nodiscard]] Operand<T, Inner> in_full_precision(Operand<T, Inner> const& operand) {
  return operand;
}
template <class T, class C, int Inner>
[[nodiscard]] Operand<T, Inner> in_full_precision(Operand<MixedPointer<T, C>, Inner> const& operand) {
  return {operand.data.full, operand.stride};
}

/// An operand that is in low precision.
template <class T, class C, int Inner>
[[nodiscard]] Operand<C, Inner> in_low_precision(Operand<MixedPointer<T, C>, Inner> const& operand) {
  return {operand.data.low, operand.stride};
}

/// The grid of `n` samples, `s` positions and `c` channels, and the usual operands on it.
struct SampleGrid {
  Index n = 1, s = 1, c = 1;

  /// Extents as given.
  constexpr SampleGrid(Index samples, Index positions, Index channels)
      : n(samples), s(positions), c(channels) {}
  /// Of (n, ..., c): `s` is the product of the extents between. A vector is one sample at one position.
  constexpr explicit SampleGrid(Shape const& shape)
      : n(shape.rank() > 1 ? shape.samples() : 1), s(shape.positions()), c(shape.channels()) {}

  /// As five extents: (1, 1, n, s, c).
  [[nodiscard]] constexpr Grid grid() const { return {{1, 1, n, s, c}}; }
  /// x[n, s, c], of a pointer or of a MixedPointer; `pitch` channels from one position to the next (c unless
  /// this is a slice of something wider).
  template <class P>
  [[nodiscard]] constexpr Operand<std::remove_pointer_t<P>, 1> full(P data, Index pitch = 0) const {
    Index const p = pitch == 0 ? c : pitch;
    return {data, {0, 0, s * p, p, 1}};
  }
  /// x[c].
  template <class T>
  [[nodiscard]] constexpr Operand<T, 1> per_channel(T* data) const {
    return {data, {0, 0, 0, 0, 1}};
  }
  /// x[n, c]; `pitch` values from one sample to the next.
  template <class T>
  [[nodiscard]] constexpr Operand<T, 1> per_sample_channel(T* data, Index pitch = 0) const {
    return {data, {0, 0, pitch == 0 ? c : pitch, 0, 1}};
  }
  /// x[s, c].
  template <class T>
  [[nodiscard]] constexpr Operand<T, 1> per_position_channel(T* data) const {
    return {data, {0, 0, 0, c, 1}};
  }
  /// x[n].
  template <class T>
  [[nodiscard]] constexpr Operand<T, 0> per_sample(T* data) const {
    return {data, {0, 0, 1, 0, 0}};
  }
  /// x[n, s].
  template <class T>
  [[nodiscard]] constexpr Operand<T, 0> per_sample_position(T* data) const {
    return {data, {0, 0, s, 1, 0}};
  }
  /// One value for all.
  template <class T>
  [[nodiscard]] constexpr Operand<T, 0> once(T* data) const {
    return {data, {0, 0, 0, 0, 0}};
  }
};

}  // namespace diffsiam
