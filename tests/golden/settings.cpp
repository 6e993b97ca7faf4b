#include <algorithm>
#include <cstdio>
#include <utility>
#include <vector>

#include <tests/golden/settings.hpp>

#include <diffsiam/diffusion/weighting.hpp>

namespace diffsiam::golden {

namespace {

[[noreturn]] void unknown(std::string const& what, std::string const& known, std::string const& actual) {
  fail<FileError>("golden", what + " among " + known, "'" + actual + "'");
}

}  // namespace

diffusion::NoiseSchedule schedule_of(Json const& json) {
  using diffusion::NoiseSchedule;
  Settings const s(json, "schedule");
  auto const kind = s.get<std::string>("kind");
  auto const build = [&]() -> NoiseSchedule {
    if (kind == "betas") return NoiseSchedule::from_betas(s.get<std::vector<double>>("betas"));
    int const steps = s.get<int>("timesteps");
    if (kind == "linear")
      return NoiseSchedule::linear(steps, s.get_or("beta_start", 1e-4), s.get_or("beta_end", 0.02));
    if (kind == "cosine")
      return NoiseSchedule::cosine(steps, s.get_or("s", 0.008), s.get_or("max_beta", 0.999));
    if (kind == "sigmoid")
      return NoiseSchedule::sigmoid(steps, s.get_or("beta_start", 1e-4), s.get_or("beta_end", 0.02),
                                    s.get_or("range", 6.0));
    if (kind == "scaled_linear" || kind == "scaled-linear")
      return NoiseSchedule::scaled_linear(steps, s.get_or("beta_start", 0.0015),
                                          s.get_or("beta_end", 0.0195));
    if (kind == "constant" || kind == "const")
      return NoiseSchedule::constant(
          steps, s.has("beta_start") ? s.get<double>("beta_start") : s.get_or("beta", 0.008));
    unknown("a kind of schedule", "linear, cosine, sigmoid, scaled_linear, constant and betas", kind);
  };
  NoiseSchedule const schedule = build();
  bool const rescaled = s.get_or("zero_terminal_snr", false);
  if (s.has("timesteps") && s.get<int>("timesteps") != schedule.timesteps())
    fail<FileError>("golden", std::to_string(s.get<int>("timesteps")) + " time-steps",
                    std::to_string(schedule.timesteps()) + " betas");
  s.require_all_used();
  return rescaled ? schedule.with_zero_terminal_snr() : schedule;
}

Weight weight_of(std::string const& name) {
  auto const matches = [&](char const* pattern, double& a, double& b) {
    int length = -1;
    std::sscanf(name.c_str(), pattern, &a, &b, &length);
    return length == static_cast<int>(name.size());
  };
  auto const matches_one = [&](char const* pattern, double& a) {
    int length = -1;
    std::sscanf(name.c_str(), pattern, &a, &length);
    return length == static_cast<int>(name.size());
  };
  double a = 0, b = 0;
  if (matches_one("snr^%lf/(1+snr)%n", a)) return diffusion::SnrPower{a};
  if (matches_one("min(snr,%lf)/snr%n", a)) return diffusion::MinSnr{a};
  if (matches("1/(%lf+snr)^%lf%n", a, b)) return diffusion::P2{a, b};
  if (matches_one("%lf%n", a)) return diffusion::ConstantWeight{a};
  unknown("a weight", "1, snr^0.1/(1+snr), min(snr,5)/snr and 1/(1+snr)^1", name);
}

diffusion::GridKind grid_of(std::string const& name) {
  using enum diffusion::GridKind;
  for (diffusion::GridKind const kind : {linspace, leading, trailing})
    if (diffusion::to_string(kind) == name) return kind;
  unknown("a grid", "linspace, leading and trailing", name);
}

encoder::TimestepPartition partition_of(Json const& json) {
  using encoder::TimestepPartition;
  Settings const s(json, "partition");
  TimestepPartition::Config const config{
      .timesteps = s.get<int>("timesteps"), .subsets = s.get<int>("subsets"), .dims = s.get<int>("dims")};
  auto const widths = s.get<Json>("widths");
  std::vector<encoder::PartitionStage> stages;
  if (widths.is_array()) {
    // A stage of its own for every subset.
    auto const uniform = TimestepPartition::uniform(config);
    auto const list = s.get<std::vector<int>>("widths");
    if (static_cast<int>(list.size()) != config.subsets)
      fail<FileError>("golden", std::to_string(config.subsets) + " widths", std::to_string(list.size()));
    for (int i = 0; i < config.subsets; ++i)
      stages.push_back({i + 1 < config.subsets ? uniform.first_step(i + 1) : config.timesteps,
                        list[static_cast<std::size_t>(i)]});
  } else if (widths == "staged") {
    for (auto const& [end, dims] : s.get<std::vector<std::pair<int, int>>>("stages"))
      stages.push_back({end, dims});
  } else if (widths == "published") {
    stages = {{50, 10}, {100, 25}, {300, 327}, {500, 100}, {1000, 50}};
  } else if (widths != "uniform") {
    unknown("widths of a partition", "uniform, staged, published and a list", widths.dump());
  }
  s.require_all_used();
  return stages.empty() ? TimestepPartition::uniform(config) : TimestepPartition::staged(config, stages);
}

encoder::GradientMode gradient_mode_of(std::string const& name) {
  using enum encoder::GradientMode;
  if (name == "base" || name == "joint") return joint;
  if (name == "stop_grad" || name == "stop_preceding") return stop_preceding;
  if (name == "dual") return dual;
  unknown("a gradient mode", "base, stop_grad and dual", name);
}

unet::Config unet_config_of(File const& file) {
  file.expect("layout", "NCHW");
  if (file.flag_or("use_new_attention_order", false))
    fail<FileError>("golden", "attention with q, k and v together in each head",
                    "use_new_attention_order in '" + file.name() + "'", "the other order is not supported");
  unet::Config config{.in_channels = file.integer("input_channel"),
                      .base_channels = file.integer("base_channel"),
                      .multipliers = file.integers("channel_multiplier"),
                      .blocks_per_level = file.integer("num_residual_blocks_of_a_block"),
                      .attention_factors = {},
                      .heads = file.integer_or("num_heads", 1),
                      .head_channels = std::max<Index>(0, file.integer_or("head_channel", -1)),
                      .groups = file.integer_or("groups", 32),
                      .dropout = file.number_or("dropout", 0)};
  // A factor that no level reaches means nothing there.
  for (Index const factor : file.integers("attention_resolutions"))
    if (config.multipliers.empty() || factor <= config.side_multiple())
      config.attention_factors.push_back(factor);
  config.validate();
  return config;
}

}  // namespace diffsiam::golden
