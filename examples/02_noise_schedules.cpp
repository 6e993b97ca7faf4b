// Draws how fast noise schedules destroy a picture, which steps grids visit, when attributes are lost.
//
//   cmake --build build/demo --target noise_schedules && build/demo/examples/noise_schedules [FOLDER]
// ctest: @OUT@
#include <cmath>
#include <filesystem>
#include <iostream>
#include <vector>

#include <CLI/CLI.hpp>

#include <diffsiam/backend/cpu.hpp>
#include <diffsiam/core/version.hpp>
#include <diffsiam/diffsiam.hpp>
#include <diffsiam/report/html_report.hpp>

namespace ds = diffsiam;
using B = ds::backend::Cpu<float>;

/// A disc on a ramp, (1, 28, 28, 1): something coarse and something smooth.
ds::Tensor<B> picture(B::Context& context) {
  std::vector<float> pixels;
  for (int y = 0; y < 28; ++y)
    for (int x = 0; x < 28; ++x)
      pixels.push_back(std::hypot(x - 14, y - 14) < 8 ? 1.0F : static_cast<float>(y) / 14.0F - 1.0F);
  return ds::Tensor<B>::from(context, {1, 28, 28, 1}, std::span<float const>{pixels});
}

int main(int argc, char** argv) try {
  std::filesystem::path folder = "runs/schedules";
  CLI::App app{"Draws noise schedules and time grids.", "noise_schedules"};
  app.set_version_flag("--version", "noise_schedules " + ds::version());
  app.add_option("folder", folder, "where schedules.html is written");
  CLI11_PARSE(app, argc, argv);
  B::Context context;
  ds::Tensor<B> const x_0 = picture(context);
  ds::Tensor<B> const noise = ds::diffusion::normal<B>(context, x_0.shape(), {.seed = 1});
  using S = ds::NoiseSchedule;
  std::vector<std::pair<std::string, S>> const schedules{{"linear", S::linear()},
                                                         {"cosine", S::cosine()},
                                                         {"sigmoid", S::sigmoid()},
                                                         {"scaled linear", S::scaled_linear()}};
  std::vector<ds::report::Series> curves;
  std::vector<ds::io::Picture> noised;
  for (auto const& [name, schedule] : schedules) {
    auto& curve = curves.emplace_back(ds::report::Series{.name = name});
    for (int t = 0; t < 1000; t += 10) {
      curve.x.push_back(t);
      curve.y.push_back(schedule.abar(t));
    }
    for (int t = 0; t < 1000; t += 111) {
      auto const at = ds::diffusion::same_timestep<B>(context, 1, t);
      noised.push_back(ds::io::pictures_from_unit(ds::add_noise(schedule, x_0, at, noise)).front());
    }
  }
  ds::report::Table grids{.header = {"grid", "time-steps of ten steps"}};
  using enum ds::diffusion::GridKind;
  for (auto const kind : {linspace, leading, trailing}) {
    std::string steps;
    for (int const t : ds::TimeGrid::make(kind, 1000, 10).steps()) steps += std::to_string(t) + " ";
    grids.rows.push_back({std::string(to_string(kind)), steps});
  }
  ds::report::Table lost{.header = {"distance of two pictures", "mistaken with chance 1/4 from step"}};
  for (double const distance : {0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0}) {
    auto const t = ds::diffusion::lost_at(S::linear(), distance, 0.25);
    lost.rows.push_back({ds::io::format_number(distance, 3), t ? std::to_string(*t) : "never"});
  }
  ds::report::HtmlReport page{{.title = "Noise schedules and time grids"}};
  page.section("How much of the picture is left")
      .chart({.title = "alphas_cumprod", .x_label = "t", .y_label = "signal variance", .series = curves})
      .picture(ds::io::grid(noised, 10, 2), {.caption = "x_t at t = 0, 111, ... 999", .scale = 2});
  page.section("Which steps a sampler visits").table(grids);
  page.section("Which attribute is lost when").table(lost);
  ds::io::create_folder(folder);
  page.write(folder /= "schedules.html");
  std::cout << "see " << folder << '\n';
} catch (std::exception const& error) {
  std::cerr << "noise_schedules: " << error.what() << '\n';
  return 1;
}
