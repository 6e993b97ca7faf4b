// check: statuses of CUDA, cuBLAS and cuDNN become exceptions that say where and what to do.
#pragma once

#include <string_view>

#include <cublasLt.h>
#include <cuda_runtime_api.h>
#include <cudnn.h>

#include <diffsiam/core/error.hpp>

namespace diffsiam::backend::cuda {

/// What a user can do about an error of the runtime.
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

/// Throws DeviceError unless all is well. What asynchronous work did wrong shows at a later call.
inline void check(cudaError_t status, std::string_view operation) {
  if (status == cudaSuccess) return;
  (void)cudaGetLastError();  // an error that is not sticky is over with its report
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
