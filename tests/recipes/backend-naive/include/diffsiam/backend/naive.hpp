// The Naive backend.
#pragma once

#include <diffsiam/backend/naive/naive.hpp>
