// The default backend of the CPU.
#pragma once

#include <diffsiam/backend/cpu/cpu.hpp>
