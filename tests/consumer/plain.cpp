// A program that needs a compiler and threads alone.
#include <cstdio>

#include <diffsiam/backend/cpu.hpp>
#include <diffsiam/diffsiam.hpp>

namespace ds = diffsiam;
using B = ds::backend::Cpu<float>;

int main() {
  B::Context context{{.threads = 2}};
  auto const x_0 = ds::Tensor<B>::filled(context, {2, 4, 4, 1}, 0.5F);
  auto const noised = ds::add_noise(ds::NoiseSchedule::linear(1000, 1e-4, 0.02), x_0, {.seed = 1, .step = 0});
  std::printf("%zu values\n", noised.x_t.values().size());
  return noised.x_t.values().size() == 32 ? 0 : 1;
}
