// Math: how operands are read by products and convolutions. Everything else is float32 whatever it is.
#pragma once

namespace diffsiam::backend::cuda {

/// Operands rounded to TensorFloat32 (10 bits of mantissa), for tensor cores; sums in float32.
struct TF32 {};

enum class Math { float32, tf32 };

}  // namespace diffsiam::backend::cuda
