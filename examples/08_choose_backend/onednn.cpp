#include <diffsiam/backend/onednn.hpp>

#include "backends.hpp"
#include "run.hpp"

double run_on_onednn(int steps) {
  return run<ds::backend::OneDnn<float>>(steps);
}
