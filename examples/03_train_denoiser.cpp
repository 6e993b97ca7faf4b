// Trains a denoiser on Fashion-MNIST and shows samples of it: the first half of the main job on its own.
//
//   cmake --build build/demo --target train_denoiser       (scripts/demo makes build/demo)
//   build/demo/examples/train_denoiser --steps 450 --out runs/denoiser
//
// ctest: --steps 2 --batch 8 --base 8 --precision bf16 --overwrite --out @OUT@
//
// In runs/denoiser: config.json, denoiser.*, and report.html when it is finished.

#include <filesystem>
#include <string>

#include <CLI/CLI.hpp>

#include <experiments/support/backends.hpp>
#include <experiments/support/options.hpp>
#include <experiments/support/program.hpp>
#include <experiments/support/report.hpp>
#include <experiments/support/run_start.hpp>
#include <experiments/support/settings.hpp>
#include <experiments/support/training.hpp>

namespace {

using namespace example;

template <class B>
void run(RunConfig const& config, RunFolder const& folder, std::filesystem::path const& data,
         RunStart const& start) {
  require_valid_denoiser(config, fashion_parts);
  RunClaim const claim{folder, config.json(), start, {.stages = {"denoiser"}, .last = "report.html"}};
  if (claim.finished()) return say("finished already: " + (folder / "report.html").string());
  auto const fashion = ds::data::load_fashion_mnist(data);
  claim.take();
  auto context = make_context<B>(config.threads);
  ds::UNet<B> const denoiser{context, denoiser_config(config)};

  auto const cost = ds::summary(denoiser, ds::Shape{1, 28, 28, 1}, ds::Shape{1});
  say(std::to_string(cost.parameters) + " parameters, " +
      ds::io::format_fixed(cost.evaluation.flops / 1e9, 3) + " GFLOP an image and evaluation");
  StageSpeed const speed = train_denoiser(context, denoiser, {fashion.train, fashion.train, fashion.test},
                                          config, folder, start.resume);

  ds::NoiseSchedule const schedule = ds::NoiseSchedule::linear();
  ds::diffusion::PlainNoise const predict{denoiser, schedule};
  ds::report::HtmlReport report{
      {.title = "A denoiser of Fashion-MNIST",
       .intro = std::to_string(static_cast<int>(speed.images_per_second)) + " images a second."}};
  report.section("Training")
      .chart({.title = "Loss",
              .x_label = "step",
              .y_label = "mean squared error of eps",
              .log_y = true,
              .series = {ds::report::metric_series(folder / "denoiser.metrics.jsonl", "loss", "loss")}});
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
  RunFolder folder{"runs/denoiser"};
  RunStart start;
  std::filesystem::path data{ds::data::FashionMnist::debian_folder};
  CLI::App app{"Trains a denoiser on Fashion-MNIST.", "train_denoiser"};
  add_whole_number(app, "--steps", config.denoiser_steps, 1, most_steps, "of training");
  add_whole_number(app, "--base", config.base_channels, 8, 1024,
                   "channels of the first level, a multiple of 8");
  add_whole_number(app, "--batch", config.denoiser_batch, 1, 4096, "pictures a step");
  add_seed(app, config.seed);
  add_threads(app, config.threads);
  add_backend_options(app, choice);
  app.add_option("--out", folder.root, "folder of the run")->capture_default_str();
  app.add_option("--data", data, "folder with the IDX files")->capture_default_str();
  add_start_options(app, start);
  return run_program(app, argc, argv, [&] {
    config.backend = choice.backend;
    config.precision = choice.precision;
    with_backend(choice, [&]<class B>() { run<B>(config, folder, data, start); });
  });
}
