#include <diffsiam/backend/cpu.hpp>

#include "backends.hpp"
#include "run.hpp"

double run_in_bfloat16(int steps) {
  return run<ds::backend::Cpu<float, ds::BFloat16>>(steps);
}
