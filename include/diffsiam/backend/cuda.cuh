// Includes the Cuda backend with all of its precisions. Include it in a .cu file.
#pragma once

#include <diffsiam/backend/cuda/cuda.cuh>   // backend::Cuda: Blas, Conv, Elementwise, Reduce, Random
#include <diffsiam/backend/cuda/mixed.cuh>  // its mixed precision: Cuda<BFloat16>, Cuda<Half>
