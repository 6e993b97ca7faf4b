// The operations and networks on OneDnn<float>, compiled once for all files of a program instead of in each:
//
//     diffsiam_add_compiled(kernels onednn_float)  # CMake: a library, built with your own flags
//     target_link_libraries(mine PRIVATE kernels)
//
//     #include <diffsiam/compiled/onednn_float.hpp>  // in each file that trains or runs models
#pragma once

#include <diffsiam/backend/onednn.hpp>
#include <diffsiam/compiled/networks.hpp>
#include <diffsiam/compiled/operations.hpp>

namespace diffsiam {

namespace compiled {
/// The backend that the list is for.
using OneDnnFloat = backend::OneDnn<float>;
}  // namespace compiled
DIFFSIAM_COMPILE_OPERATIONS(compiled::OneDnnFloat)
DIFFSIAM_COMPILE_NETWORKS(compiled::OneDnnFloat)

}  // namespace diffsiam
