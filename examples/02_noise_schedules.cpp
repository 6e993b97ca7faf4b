// Noise schedules and time grids: how fast each schedule destroys a picture, which steps each grid visits,
// and when attributes of a given size are lost. Writes a page with curves and a picture.
//
//   cmake --build build/demo --target noise_schedules      (scripts/demo makes build/demo)
//   build/demo/examples/noise_schedules [FOLDER]
// ctest: @OUT@

#include <cstdio>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>

#include <diffsiam/backend/cpu.hpp>
#include <diffsiam/diffsiam.hpp>
#include <diffsiam/report/html_report.hpp>

#include <experiments/support/program.hpp>

namespace ds = diffsiam;
using B = ds::backend::Cpu<float>;

/// A disc on a ramp, (1, 28, 28, 1): something coarse and something smooth.
ds::Tensor<B> picture(B::Context& context) {
  std::vector<float> pixels;
  for (int y = 0; y < 28; ++y)
    for (int x = 0; x < 28; ++x) {
      bool const inside = (x - 14) * (x - 14) + (y - 14) * (y - 14) < 64;
      pixels.push_back(inside ? 1.0F : static_cast<float>(y) / 14.0F - 1.0F);
    }
  return ds::Tensor<B>::from(context, {1, 28, 28, 1}, std::span<float const>{pixels});
}

void run(std::filesystem::path const& folder) {
  std::vector<std::pair<std::string, ds::NoiseSchedule>> const schedules{
      {"linear", ds::NoiseSchedule::linear()},
      {"cosine", ds::NoiseSchedule::cosine()},
      {"sigmoid", ds::NoiseSchedule::sigmoid()},
      {"scaled linear", ds::NoiseSchedule::scaled_linear()}};
  ds::report::HtmlReport report{{.title = "Noise schedules and time grids",
                                 .intro = "All curves come from the tables that training and sampling use."}};

  auto& curves = report.section("How much of the picture is left");
  std::vector<ds::report::Series> signal;
  for (auto const& [name, schedule] : schedules) {
    ds::report::Series series{.name = name, .x = {}, .y = {}};
    for (int t = 0; t < schedule.timesteps(); t += 10) {
      series.x.push_back(t);
      series.y.push_back(schedule.abar(t));
    }
    signal.push_back(std::move(series));
  }
  curves.chart({.title = "alphas_cumprod", .x_label = "t", .y_label = "signal variance", .series = signal});

  B::Context context;
  ds::Tensor<B> const x_0 = picture(context);
  std::vector<ds::io::Picture> shown;
  int columns = 0;
  for (auto const& [name, schedule] : schedules) {
    columns = 0;
    for (int t = 0; t < 1000; t += 111, ++columns) {
      auto const steps = ds::Tensor<B>::filled(context, {1}, static_cast<float>(t));
      auto const x_t =
          ds::add_noise(schedule, x_0, steps, ds::diffusion::normal<B>(context, x_0.shape(), {.seed = 1}))
              .values();
      shown.push_back(ds::io::pictures_from_unit(std::span<float const>{x_t}, 1, 28, 28, 1).front());
    }
  }
  curves.picture(
      ds::io::grid(shown, columns, 2),
      {.caption = "x_t at t = 0, 111, ... 999; linear, cosine, sigmoid and scaled linear from above.",
       .scale = 2});

  ds::report::Table grids{.header = {"grid", "time-steps of ten steps"},
                          .rows = {},
                          .caption = "S, ascending: what network and partition are told."};
  for (auto const kind : {ds::diffusion::GridKind::linspace, ds::diffusion::GridKind::leading,
                          ds::diffusion::GridKind::trailing}) {
    std::string steps;
    for (int const t : ds::TimeGrid::make(kind, 1000, 10).steps())
      steps += (steps.empty() ? "" : " ") + std::to_string(t);
    grids.rows.push_back({std::string(ds::diffusion::to_string(kind)), steps});
  }
  report.section("Which steps a sampler visits").table(grids);

  ds::report::Table lost{
      .header = {"distance of two pictures", "lost at t"},
      .rows = {},
      .caption =
          "First step of the linear schedule at which the ideal denoiser takes one for the "
          "other with chance 1/4."};
  for (double const distance : {0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0}) {
    auto const t = ds::diffusion::lost_at(schedules.front().second, distance, 0.25);
    lost.rows.push_back({ds::io::format_number(distance, 3), t ? std::to_string(*t) : "never"});
  }
  report.section("Which attribute is lost when").table(lost);

  std::filesystem::create_directories(folder);
  ds::io::write_png(folder / "schedules.png", ds::io::upscale(ds::io::grid(shown, columns, 2), 2));
  report.write(folder / "schedules.html");
  std::printf("%s and schedules.png beside it\n", (folder / "schedules.html").c_str());
}

int main(int argc, char** argv) {
  std::filesystem::path folder = "runs/schedules";
  CLI::App app{"Draws noise schedules and time grids.", "noise_schedules"};
  app.add_option("folder", folder, "where schedules.html and schedules.png are written")
      ->capture_default_str();
  return example::run_program(app, argc, argv, [&] { run(folder); });
}
