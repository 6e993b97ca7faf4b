#include <diffsiam/backend/cpu.hpp>

#include "backends.hpp"
#include "run.hpp"

double run_on_cpu(int steps) {
  return run<ds::backend::Cpu<float>>(steps);
}
