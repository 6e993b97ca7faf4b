// check: turns a status of CUDA, cuBLAS or cuDNN into an exception that says where it happened and what to
// do.
#pragma once

#include <string_view>

#include <cublasLt.h>
#include <cuda_runtime_api.h>
#include <cudnn.h>

#include <diffsiam/core/error.hpp>

namespace diffsiam::backend::cuda {

/// What a user can do about an error of CUDA.
[[nodiscard]] constexpr std::string_view hint_for(cudaError_t status) {
  switch (status) {
    case cudaErrorNoDevice:
    case cudaErrorInsufficientDriver:
      return "this needs an NVIDIA GPU and a driver as new as the toolkit; nvidia-smi shows both";
    case cudaErrorNoKernelImageForDevice:
      return "the program was not compiled for this GPU: add its architecture (CMAKE_CUDA_ARCHITECTURES)";
    case cudaErrorMemoryAllocation:
      return "a smaller batch needs less memory";
    case cudaErrorIllegalAddress:
    case cudaErrorLaunchFailure:
    case cudaErrorAssert:
      return "an earlier kernel may have done it, and this process cannot use the GPU any more; "
             "compute-sanitizer finds the kernel";
    default:
      return "";
  }
}

/// Throws DeviceError unless `status` is success. An error of asynchronous work appears at a later call.
inline void check(cudaError_t status, std::string_view operation) {
  if (status == cudaSuccess) return;
  (void)cudaGetLastError();  // errors that are not sticky are cleared when they are read
  fail<DeviceError>(operation, "success", {cudaGetErrorName(status), " (", cudaGetErrorString(status), ")"},
                    hint_for(status));
}
inline void check(cublasStatus_t status, std::string_view operation) {
  if (status != CUBLAS_STATUS_SUCCESS)
    fail<DeviceError>(operation, "success", {"cuBLAS status ", static_cast<long long>(status)});
}
inline void check(cudnnStatus_t status, std::string_view operation) {
  if (status != CUDNN_STATUS_SUCCESS) fail<DeviceError>(operation, "success", cudnnGetErrorString(status));
}

}  // namespace diffsiam::backend::cuda
