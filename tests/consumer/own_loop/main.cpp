// Trains a denoiser of drawn shapes in a loop that is written out.
//
//   consumer RUN STEPS    goes on from RUN.checkpoint, if it is there, until STEPS steps; writes
//   RUN.safetensors
#include <cstdio>
#include <string>

#include <diffsiam/backend/cpu.hpp>
#include <diffsiam/data/loader.hpp>
#include <diffsiam/data/shapes.hpp>
#include <diffsiam/diffsiam.hpp>
#include <diffsiam/io/model_file.hpp>
#include <diffsiam/train/adam.hpp>
#include <diffsiam/train/checkpoint.hpp>
#include <diffsiam/train/step.hpp>

namespace ds = diffsiam;
using B = ds::backend::Cpu<float>;

int main(int argc, char** argv) try {
  if (argc != 3) throw ds::Error("expected RUN STEPS");
  std::string const run = argv[1];
  std::uint64_t const steps = std::stoul(argv[2]);
  B::Context context;

  // The model, the loss and the pictures.
  auto const schedule = ds::NoiseSchedule::linear();
  ds::UNet<B> const denoiser{context, ds::unet::Config::for_small(1, 8)};
  ds::loss::Denoising const denoising{schedule};
  ds::data::ShapePictures const shapes{{.side = 16, .channels = 1}};
  ds::data::Loader loader{shapes.sample(64, {.seed = 1}).pictures, {.batch_size = 8}};

  // A step: the gradient is clipped, the rate rises for 10 steps, and the weights are averaged.
  ds::train::Adam<B> adam{ds::parameters(denoiser), {.learning_rate = 2e-3}};
  ds::train::Ema<B> ema{ds::parameters(denoiser)};
  ds::train::TrainStep step{adam, {.max_norm = 1, .rng = {.seed = 2}}, ds::train::Warmup{10}, &ema};

  // A checkpoint holds weights, averages, optimizer, random numbers and the place in the data.
  ds::train::Checkpoint const checkpoint{run + ".checkpoint"};
  if (checkpoint.exists()) {
    auto const saved = checkpoint.load(step, denoiser);
    loader.seek({.epoch = saved.epoch, .batch = static_cast<ds::Index>(saved.batch)});
  }

  while (step.steps() < steps) {
    auto const batch = loader.next();
    auto const images = ds::Tensor<B>::from(context, batch.shape, batch.images);  // (n, 16, 16, 1)
    auto const told = step([&](ds::Tape<B>& tape, ds::train::MicroBatch const& at) {
      auto const noised = ds::add_noise(schedule, images, at.rng);  // x_t, t, noise
      return denoising(denoiser(tape.input(noised.x_t), noised.t), images, noised);
    });
    if (told.step % 10 == 0) std::printf("step %3d  loss %.3f\n", static_cast<int>(told.step), told.loss);
  }
  auto const at = loader.position();
  checkpoint.save(step, {.epoch = at.epoch, .batch = static_cast<std::uint64_t>(at.batch)}, denoiser);
  ema.copy_to_model();
  ds::save(run + ".safetensors", denoiser);
} catch (ds::Error const& error) {
  std::fprintf(stderr, "own_loop: %s\n", error.what());
  return 1;
}
