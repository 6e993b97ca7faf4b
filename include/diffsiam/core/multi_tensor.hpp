// What a multi-tensor update works on: many tensors, cut into chunks that one launch visits, as PyTorch's
// multi_tensor_apply does.
#pragma once

#include <cstddef>

#include <diffsiam/core/shape.hpp>

namespace diffsiam {

/// Neighbouring scalars of N tensors of one shape. A list of chunks lies where the backend computes.
template <class T, std::size_t N>
struct TensorChunk {
  T* data[N];  ///< the first scalar of the chunk in each tensor
  Index size;  ///< scalars in the chunk, at most `most`

  /// At most so many scalars: what a block of a device goes through.
  static constexpr Index most = 4096;
};

/// The values of a tensor that is only read: `size` of them, at `data`. There may be none.
template <class T>
struct TensorValues {
  T const* data;
  Index size;
};

/// What every gradient of a step is multiplied by before the weights move (loss scale and clipping), and
/// whether the gradients are finite: if not, nothing may move.
template <class T>
struct GradientScale {
  T factor;    ///< of every gradient; 1 leaves it as it is
  int finite;  ///< 1 if all losses and measured gradients are finite, 0 otherwise
};

/// What a GradientScale is computed from. `losses` and `squares`, the squared norm of each gradient, lie
/// where the backend computes, and so does `loss_scale`.
template <class T>
struct StepReport {
  T const* losses;
  Index loss_count;  ///< number of `losses`
  T const* squares;
  Index square_count;  ///< 0: norms are neither measured nor looked at
  double max_norm;     ///< 0: no clipping
  double const* loss_scale;
};

}  // namespace diffsiam
