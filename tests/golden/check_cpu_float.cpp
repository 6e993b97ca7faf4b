#include <tests/golden/check_case.hpp>

#include <diffsiam/backend/cpu/cpu.hpp>

template void diffsiam::golden::check_case<diffsiam::backend::Cpu<float>>(File const&, Report&);
