// The operations and networks on Cpu<float, BFloat16>, compiled once for all files of a program instead of in
// each:
//
//     diffsiam_add_compiled(kernels cpu_bfloat16)  # CMake: a library, built with your own flags
//     target_link_libraries(mine PRIVATE kernels)
//
//     #include <diffsiam/compiled/cpu_bfloat16.hpp>  // in each file that trains or runs models
#pragma once

#include <diffsiam/backend/cpu.hpp>
#include <diffsiam/compiled/networks.hpp>
#include <diffsiam/compiled/operations.hpp>

namespace diffsiam {

namespace compiled {
/// The backend that the list is for.
using CpuBFloat16 = backend::Cpu<float, BFloat16>;
}  // namespace compiled
DIFFSIAM_COMPILE_OPERATIONS(compiled::CpuBFloat16)
DIFFSIAM_COMPILE_NETWORKS(compiled::CpuBFloat16)

}  // namespace diffsiam
