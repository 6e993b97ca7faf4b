// Segments: many tensors as one list, for work that visits all of them at once.
#pragma once

#include <cstddef>

#include <diffsiam/core/shape.hpp>

namespace diffsiam {

/// Neighbouring scalars of N tensors of one shape. A list of them lies where the backend computes.
template <class T, std::size_t N>
struct Segment {
  T* data[N];
  Index size;

  /// At most so many scalars: what a block of a device goes through.
  static constexpr Index most = 4096;
};

/// What was found out about the gradients of a step, where the backend computes: whether they may be used,
/// and what each is multiplied by first.
template <class T>
struct Verdict {
  T factor;
  int sound;
};

/// What a verdict is found from. `losses` and `squares`, the squared norm of each gradient, are counted here
/// and lie where the backend computes, as `scale` does: the factor of all gradients.
template <class T>
struct Evidence {
  T const* losses;
  Index loss_count;
  T const* squares;
  Index square_count;  ///< 0: norms are neither measured nor judged
  double max_norm;     ///< 0: no clipping
  double const* scale;
};

}  // namespace diffsiam
