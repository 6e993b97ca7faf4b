// DiffSiam in one page: an encoder and a shift decoder on top of a frozen denoiser, trained with both losses
// on pictures made up on the spot. The denoiser is not trained here; 03 and 04 do that.
//
//   g++ -std=c++20 -O2 -I include examples/01_quickstart.cpp -o quickstart && ./quickstart
// ctest:

#include <cstdio>
#include <string_view>

#include <diffsiam/backend/cpu.hpp>
#include <diffsiam/core/version.hpp>
#include <diffsiam/diffsiam.hpp>
#include <diffsiam/train/adam.hpp>

namespace ds = diffsiam;
using B = ds::backend::Cpu<float>;  // the policy: the only line that changes for another backend

/// Bright bars on dark ground, each picture at a place of its own: (n, 16, 16, 1) in [-1, 1].
ds::Tensor<B> bars(B::Context& context, int n, ds::Rng rng) {
  std::vector<float> pixels;
  for (int i = 0; i < n; ++i) {
    auto const at = static_cast<int>(rng.below(13, static_cast<unsigned>(i)));
    for (int p = 0; p < 256; ++p) pixels.push_back(p % 16 >= at && p % 16 < at + 3 ? 1.0F : -1.0F);
  }
  return ds::Tensor<B>::from(context, {n, 16, 16, 1}, std::span<float const>{pixels});
}

int main(int argc, char** argv) {
  if (argc > 1) {
    std::printf("quickstart, diffsiam %s: trains on made-up pictures for a moment; it has no options\n",
                ds::version().c_str());
    return std::string_view{argv[1]}.starts_with("--") ? 0 : 2;
  }
  B::Context context;
  ds::NoiseSchedule const schedule = ds::NoiseSchedule::linear(1000, 1e-4, 0.02);
  constexpr auto partition = ds::TimestepPartition::uniform({.timesteps = 1000, .subsets = 4, .dims = 16});

  ds::UNet<B> denoiser{context,
                       {.in_channels = 1,
                        .base_channels = 16,
                        .multipliers = {1, 2},
                        .blocks_per_level = 1,
                        .attention_factors = {},
                        .groups = 8}};
  ds::ModularEncoder<B> encoder{
      context,
      {.backbone = {.in_channels = 1, .height = 16, .width = 16, .channels = {32, 32}, .attention_after = -1},
       .partition = partition}};
  ds::ShiftDecoder<B> decoder{context, denoiser, {.latent_dims = 16}};  // borrows the denoiser and freezes it
  ds::SimSiamHalf<B> siamese{context, {.dims = 16}};
  ds::train::Adam<B> adam{ds::parameters(encoder, decoder, siamese), {.learning_rate = 1e-3}};
  ds::loss::ShiftedNoise const diffusion_loss{schedule};

  for (unsigned step = 0; step < 20; ++step) {
    ds::Tensor<B> const images = bars(context, 16, {.seed = 1, .step = step});
    ds::Tape<B> tape{context};
    auto const noised = ds::add_noise(schedule, images, {.seed = 2, .step = step});  // x_t, t, noise
    auto const z = encoder(tape.input(images));                                      // (n, 16)
    auto const [eps, gradient] = decoder(noised.x_t, noised.t, ds::reveal(partition, z, noised.t));
    auto const loss = diffusion_loss(eps, gradient, noised) + 0.01 * siamese(z);
    tape.backward(loss);
    adam.step();  // and leaves the gradients zero
    if (step % 5 == 4)
      std::printf("step %2u  loss %.4f\n", step + 1, static_cast<double>(loss.value().item()));
  }
}
