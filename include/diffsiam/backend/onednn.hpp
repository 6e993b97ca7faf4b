// Includes the backend OneDnn. It needs the CMake target diffsiam::onednn.
#pragma once

#include <diffsiam/backend/onednn/onednn.hpp>
