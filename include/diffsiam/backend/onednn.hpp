// The backend on oneDNN: needs the CMake target diffsiam::onednn.
#pragma once

#include <diffsiam/backend/onednn/onednn.hpp>
