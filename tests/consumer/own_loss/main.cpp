// Trains an encoder by VICReg (Bardes et al., 2022, arXiv 2105.04906) on two noisy views of made-up pictures.
#include <cstdio>

#include <diffsiam/backend/cpu.hpp>
#include <diffsiam/diffsiam.hpp>
#include <diffsiam/train/adam.hpp>

namespace ds = diffsiam;
namespace ops = ds::ops;
using B = ds::backend::Cpu<float>;

struct VicReg {
  double invariance = 25, variance = 25, covariance = 1;
  /// z_1 and z_2 (n, d), the codes of two views -> rank 0.
  template <ds::FlowingValue Z>
  auto operator()(Z const& z_1, Z const& z_2) const {
    return invariance * ops::mean(ops::pow(z_1 - z_2, 2)) + spread(z_1) + spread(z_2);
  }

  template <class Z>
  auto spread(Z const& z) const {
    auto const centred = z - ops::mean(z, 0);
    auto const deviation = ops::sqrt(ops::mean(ops::pow(centred, 2), 0) + 1e-4);  // (d)
    auto const c = ops::matmul(centred, centred, {.transpose_a = true}) / (z.shape()[0] - 1);
    auto const others = ops::sum(ops::pow(c, 2)) - ops::sum(ops::pow(ops::diagonal(c), 2));
    return variance * ops::mean(ops::relu(1 - deviation)) + covariance / z.shape()[1] * others;
  }
};

int main() {
  B::Context context;
  constexpr auto partition = ds::TimestepPartition::uniform({.timesteps = 1000, .subsets = 4, .dims = 8});
  ds::ModularEncoder<B> const encoder{
      context,
      {.backbone = {.in_channels = 1, .height = 16, .width = 16, .channels = {32}, .attention_after = -1},
       .partition = partition}};
  ds::train::Adam<B> adam{ds::parameters(encoder), {.learning_rate = 1e-3}};
  double first = 0, last = 0;
  for (unsigned step = 0; step < 60; ++step) {
    auto const noise = [&](std::uint64_t seed) {
      return ds::diffusion::normal<B>(context, {32, 16, 16, 1}, {.seed = seed, .step = step});
    };
    auto const pictures = noise(1);
    ds::Tape<B> tape{context};
    auto const view = [&](std::uint64_t seed) { return tape.input(pictures + 0.3 * noise(seed)); };
    auto const loss = VicReg{}(encoder(view(2)), encoder(view(3)));
    tape.backward(loss);
    adam.step();
    (step == 0 ? first : last) = static_cast<double>(loss.value().item());
  }
  std::printf("loss %.2f, at first %.2f\n", last, first);
  return last < 0.8 * first ? 0 : 1;
}
