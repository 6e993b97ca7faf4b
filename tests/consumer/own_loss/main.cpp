// Trains an encoder on two views of made-up pictures by alignment and uniformity (arXiv 2005.10242).
#include <cstdio>

#include <diffsiam/backend/cpu.hpp>
#include <diffsiam/diffsiam.hpp>
#include <diffsiam/train/adam.hpp>

namespace ds = diffsiam;
namespace ops = ds::ops;
using B = ds::backend::Cpu<float>;

struct AlignmentAndUniformity {
  /// z_1 and z_2 (n, d), the codes of two views -> rank 0.
  template <ds::FlowingValue Z>
  auto operator()(Z const& z_1, Z const& z_2) const {
    auto const u_1 = ops::normalize(z_1), u_2 = ops::normalize(z_2);
    auto const alignment = ops::mean(ops::sum(ops::pow(u_1 - u_2, 2), 1));
    return alignment + 0.5 * (uniformity(u_1) + uniformity(u_2));
  }

  /// The logarithm of the mean of e^(-2 |u_i - u_j|^2) over pairs of two codes; |u_i - u_j|^2 = 2 - 2 cos.
  template <class U>
  auto uniformity(U const& u) const {
    auto const n = u.shape()[0];
    auto const e = ops::exp(4 * ops::matmul(u, u, {.transpose_b = true}) - 4);  // 1 for a code and itself
    return ops::log((ops::sum(e) - n) / (n * (n - 1)));
  }
};

int main() {
  B::Context context;
  constexpr auto partition = ds::TimestepPartition::uniform({.timesteps = 1000, .subsets = 4, .dims = 8});
  ds::ModularEncoder<B> const encoder{
      context,
      {.backbone = {.in_channels = 1, .height = 16, .width = 16, .channels = {32}, .attention_after = -1},
       .partition = partition}};
  ds::train::Adam<B> adam{ds::parameters(encoder), {.learning_rate = 3e-3}};
  double first = 0, last = 0;
  for (unsigned step = 0; step < 60; ++step) {
    auto const noise = [&](std::uint64_t seed) {
      return ds::diffusion::normal<B>(context, {32, 16, 16, 1}, {.seed = seed, .step = step});
    };
    auto const pictures = noise(1);
    ds::Tape<B> tape{context};
    auto const view = [&](std::uint64_t seed) { return tape.input(pictures + 0.3 * noise(seed)); };
    auto const loss = AlignmentAndUniformity{}(encoder(view(2)), encoder(view(3)));
    tape.backward(loss);
    adam.step();
    (step == 0 ? first : last) = static_cast<double>(loss.value().item());
  }
  std::printf("loss %.2f, at first %.2f\n", last, first);
  return last < first - 0.1 ? 0 : 1;
}
