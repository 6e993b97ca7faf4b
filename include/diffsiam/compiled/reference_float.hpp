// The operations and networks on Reference<float>, compiled once for all files of a program instead of in
// each:
//
//     diffsiam_add_compiled(kernels reference_float)  # CMake: a library, built with your own flags
//     target_link_libraries(mine PRIVATE kernels)
//
//     #include <diffsiam/compiled/reference_float.hpp>  // in each file that trains or runs models
#pragma once

#include <diffsiam/backend/reference.hpp>
#include <diffsiam/compiled/networks.hpp>
#include <diffsiam/compiled/operations.hpp>

namespace diffsiam {

namespace compiled {
/// The backend that the list is for.
using ReferenceFloat = backend::Reference<float>;
}  // namespace compiled
DIFFSIAM_COMPILE_OPERATIONS(compiled::ReferenceFloat)
DIFFSIAM_COMPILE_NETWORKS(compiled::ReferenceFloat)

}  // namespace diffsiam
