// Includes the backend Cpu, the default for CPUs.
#pragma once

#include <diffsiam/backend/cpu/cpu.hpp>
