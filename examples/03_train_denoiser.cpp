// Trains a denoiser on Fashion-MNIST and draws samples of it. What it predicts, eps, v or x_0, is an option.
//
//   cmake --build build/demo --target train_denoiser       (scripts/demo makes build/demo)
//   build/demo/examples/train_denoiser --predicts v --steps 450 --out runs/denoiser
// ctest: --steps 2 --batch 8 --base 8 --predicts v --overwrite --out @OUT@
#include <atomic>
#include <csignal>
#include <iostream>

#include <CLI/CLI.hpp>

#include <diffsiam/backend/cpu.hpp>
#include <diffsiam/core/version.hpp>
#include <diffsiam/data/fashion_mnist.hpp>
#include <diffsiam/data/loader.hpp>
#include <diffsiam/diffsiam.hpp>
#include <diffsiam/io/png.hpp>
#include <diffsiam/train/averaged_adam.hpp>
#include <diffsiam/train/feed.hpp>
#include <diffsiam/train/stage.hpp>

namespace ds = diffsiam;
using B = ds::backend::Cpu<float>;  // the policy: the only line that changes for another backend

std::atomic<bool> stop_requested{false};

int main(int argc, char** argv) try {
  std::string out = "runs/denoiser", predicts = "eps";
  std::uint64_t steps = 550;
  int base = 16, batch = 64, threads = 0;
  ds::train::RunFolderConfig run{.stages = {"denoiser"}, .last = "samples.png"};
  CLI::App app{"Trains a denoiser on Fashion-MNIST.", "train_denoiser"};
  app.set_version_flag("--version", "train_denoiser " + ds::version());
  app.add_option("--out", out, "folder of the run");
  app.add_option("--predicts", predicts, "eps, v or x_0");
  app.add_option("--steps", steps, "of training")->check(CLI::PositiveNumber);
  app.add_option("--base", base, "channels of the first level, a multiple of 8")->check(CLI::Range(8, 1024));
  app.add_option("--batch", batch, "pictures a step")->check(CLI::Range(1, 60000));
  app.add_option("--threads", threads, "0: all cores")->check(CLI::Range(0, 1024));
  app.add_flag("--resume", run.resume, "goes on with the run in the folder");
  app.add_flag("--overwrite", run.overwrite, "begins anew where a run stands in the folder");
  CLI11_PARSE(app, argc, argv);
  ds::train::RunFolder const folder{
      out, {{"steps", steps}, {"base", base}, {"batch", batch}, {"predicts", predicts}}, run};
  if (folder.finished()) {
    std::cout << "finished already: " << folder / "samples.png" << '\n';
    return 0;
  }
  B::Context context{{.threads = threads}};
  ds::NoiseSchedule const schedule = ds::NoiseSchedule::linear();
  ds::PredictionTarget const target = ds::prediction_target(predicts);
  ds::UNet<B> const denoiser{context, ds::unet::Config::for_small(1, base)};
  ds::loss::Denoising const denoising{schedule, target};
  auto const pictures = ds::data::load_fashion_mnist().train;
  ds::train::AveragedAdam<B> training{ds::parameters(denoiser),
                                      {.learning_rate = 1e-3, .steps = steps, .rng = {.stream = 10}}};
  ds::data::Loader loader{pictures, {.batch_size = batch, .flip = 0.5F}};
  ds::train::Feed<B> images{context, pictures.shape().with_samples(batch)};
  auto const loss = [&](ds::Tape<B>& tape, ds::train::MicroBatch const& at) {
    auto const noised = ds::add_noise(schedule, images.tensor(), at.rng);  // x_t, t, noise
    return denoising(denoiser(tape.input(noised.x_t), noised.t), images.tensor(), noised);
  };
  auto stage = ds::train::stage_of(folder, "denoiser", steps);
  stage.next_batch = [&] { images.put(loader.next().images); };
  stage.progress = &std::cout;
  stage.stop = &stop_requested;
  std::signal(SIGINT, [](int) { stop_requested = true; });  // Ctrl-C: it saves before it ends
  folder.take();
  ds::train::Stage{stage}.run(training.step, loader, loss, denoiser);
  std::signal(SIGINT, SIG_DFL);

  auto const x_T = ds::diffusion::normal<B>(context, {20, 28, 28, 1}, {.seed = 1});
  auto const samples = ds::ddim_sample<B>(schedule, ds::TimeGrid::linspace(1000, 50), x_T,
                                          ds::diffusion::PlainNoise{denoiser, schedule, target},
                                          {.eta = 1, .rng = {.seed = 2}});
  ds::io::write_png(folder / "samples.png", ds::io::grid(ds::io::pictures_from_unit(samples), 10, 2));
} catch (std::exception const& error) {
  std::cerr << "train_denoiser: " << error.what() << '\n';
  return 1;
}
