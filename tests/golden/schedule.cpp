#include <cstdio>
#include <map>
#include <span>
#include <string>

#include <tests/golden/cases/tables.hpp>

#include <diffsiam/diffusion/weighting.hpp>

namespace diffsiam::golden {

namespace {

using diffusion::NoiseSchedule;
using Table = std::span<double const> (NoiseSchedule::*)() const&;

std::map<std::string, Table> const& tables() {
  static std::map<std::string, Table> const known{
      {"betas", &NoiseSchedule::betas},
      {"alphas", &NoiseSchedule::alphas},
      {"alphas_cumprod", &NoiseSchedule::alphas_cumprod},
      {"alphas_cumprod_prev", &NoiseSchedule::alphas_cumprod_prev},
      {"snr", &NoiseSchedule::snr},
      {"sqrt_alphas_cumprod", &NoiseSchedule::sqrt_alphas_cumprod},
      {"sqrt_one_minus_alphas_cumprod", &NoiseSchedule::sqrt_one_minus_alphas_cumprod},
      {"sqrt_recip_alphas_cumprod", &NoiseSchedule::sqrt_recip_alphas_cumprod},
      {"sqrt_recip_alphas_cumprod_m1", &NoiseSchedule::sqrt_recip_alphas_cumprod_m1},
      {"posterior_variance", &NoiseSchedule::posterior_variance},
      {"posterior_log_variance_clipped", &NoiseSchedule::posterior_log_variance},
      {"x_0_posterior_mean_x_0_coef", &NoiseSchedule::posterior_mean_x_0_coef},
      {"x_0_posterior_mean_x_t_coef", &NoiseSchedule::posterior_mean_x_t_coef},
      {"noise_posterior_mean_x_t_coef", &NoiseSchedule::noise_posterior_mean_x_t_coef},
      {"noise_posterior_mean_noise_coef", &NoiseSchedule::noise_posterior_mean_noise_coef},
      {"shift_coef", &NoiseSchedule::shift_coef},
      {"ddim_shift_coef", &NoiseSchedule::ddim_shift_coef}};
  return known;
}

Values copied(std::span<double const> table) {
  return {table.begin(), table.end()};
}

}  // namespace

void check_schedule(File const& file, Report& report) {
  NoiseSchedule const schedule = schedule_of(file.json("schedule"));
  double const tolerance = Tolerances::of_double().output;
  auto const compare = [&](std::string const& name, Values const& actual) {
    report.output(name, actual, file.values(name), tolerance);
  };
  for (std::string const& name : file.names()) {
    std::string const plain = name.starts_with("f64.") ? name.substr(4) : name;
    int steps = 0, length = 0;
    std::sscanf(plain.c_str(), "ddim%d.%n", &steps, &length);
    if (length > 0) {
      auto const kind = grid_of(file.has("grid") ? file.text("grid") : "linspace");
      auto const grid = diffusion::TimeGrid::make(kind, schedule.timesteps(), steps);
      std::string const which = plain.substr(static_cast<std::size_t>(length));
      if (which == "betas") compare(name, grid.respaced_betas(schedule));
      if (which == "timestep_map")
        report.exact(name, {grid.steps().begin(), grid.steps().end()}, file.values(name));
    } else if (plain == "weight") {
      compare(name, diffusion::weight_table(schedule, weight_of(file.text("weight"))));
    } else if (auto const found = tables().find(plain); found != tables().end()) {
      compare(name, copied((schedule.*found->second)()));
    }
  }
}

}  // namespace diffsiam::golden
