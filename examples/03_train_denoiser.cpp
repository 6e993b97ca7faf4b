// Trains a denoiser on Fashion-MNIST and shows samples of it: the first half of the main job on its own.
//
//   build/release/examples/train_denoiser --steps 450 --out runs/denoiser
//
// ctest: --steps 2 --batch 8 --base 8 --precision bf16 --out @OUT@

#include <filesystem>
#include <string>

#include <CLI/CLI.hpp>

#include "support/backends.hpp"
#include "support/program.hpp"
#include "support/report.hpp"
#include "support/training.hpp"

namespace {

using namespace example;

template <class B>
void run(RunConfig const& config, std::filesystem::path const& out, std::filesystem::path const& data,
         bool resume) {
  auto const fashion = ds::data::load_fashion_mnist(data);
  RunFolder const folder{out};
  std::filesystem::create_directories(out);
  auto context = make_context<B>(config.threads);
  ds::UNet<B> const denoiser{context, denoiser_config(config)};

  auto const cost = ds::summary(denoiser, ds::Shape{1, 28, 28, 1}, ds::Shape{1});
  say(std::to_string(cost.parameters) + " parameters, " +
      ds::io::format_fixed(cost.evaluation.flops / 1e9, 3) + " GFLOP an image and evaluation");
  StageSpeed const speed =
      train_denoiser(context, denoiser, {fashion.train, fashion.train, fashion.test}, config, folder, resume);

  ds::NoiseSchedule const schedule = ds::NoiseSchedule::linear();
  ds::diffusion::PlainNoise const predict{denoiser, schedule};
  ds::io::HtmlReport report{
      {.title = "A denoiser of Fashion-MNIST",
       .intro = std::to_string(static_cast<int>(speed.images_per_second)) + " images a second."}};
  report.section("Training")
      .chart({.title = "Loss",
              .x_label = "step",
              .y_label = "mean squared error of eps",
              .log_y = true,
              .series = {curve(folder / "denoiser.metrics.jsonl", "loss", "loss")}});
  auto& samples = report.section("Samples from the same noise");
  auto const x_T = ds::diffusion::normal<B>(context, {20, 28, 28, 1}, {.seed = config.seed, .stream = 51});
  for (int const steps : {10, 50, 100}) {
    Progress progress{"sampling, " + std::to_string(steps) + " steps", steps, "steps"};
    auto const images = ds::ddim_sample<B>(schedule, ds::TimeGrid::linspace(1000, steps), x_T, predict, {},
                                           [&](int done, int) { progress(done); });
    samples.picture(ds::io::grid(pictures_of(images), 10, 2),
                    {.caption = std::to_string(steps) + " DDIM steps", .scale = 2});
  }
  report.write(folder / "report.html");
  say("report: " + (folder / "report.html").string());
}

}  // namespace

int main(int argc, char** argv) {
  RunConfig config;
  BackendChoice choice;
  std::filesystem::path out = "runs/denoiser", data{ds::data::FashionMnist::debian_folder};
  bool resume = false;
  CLI::App app{"Trains a denoiser on Fashion-MNIST."};
  app.add_option("--steps", config.denoiser_steps, "of training")->capture_default_str();
  app.add_option("--base", config.base_channels, "channels of the first level")->capture_default_str();
  app.add_option("--batch", config.denoiser_batch, "pictures a step")->capture_default_str();
  app.add_option("--seed", config.seed, "another random run")->capture_default_str();
  app.add_option("--threads", config.threads, "0: all cores")->capture_default_str();
  add_backend_options(app, choice);
  app.add_option("--out", out, "folder of the run")->capture_default_str();
  app.add_option("--data", data, "folder with the IDX files")->capture_default_str();
  app.add_flag("--resume", resume, "goes on with the interrupted run in the folder");
  CLI11_PARSE(app, argc, argv);
  return example::run_program("train_denoiser", [&] {
    example::stop_on_interrupt();
    config.backend = choice.backend;
    config.precision = choice.precision;
    with_backend(choice, [&]<class B>() { run<B>(config, out, data, resume); });
  });
}
