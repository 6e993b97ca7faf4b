// The backend that specifies the others.
#pragma once

#include <diffsiam/backend/reference/reference.hpp>
