// TimeGrid: the time-steps that sampling visits; one grid for encoding and decoding (docs/method.md).
//   linspace: S_i = floor(i (T-1)/N), i = 0..N       DDIM as the related papers publish it
//   leading:  S_i = i s,              i = 0..N-1, s = T/N
//   trailing: S_i = T-1 - (N-1-i) s,  i = 0..N-1     the last step is always T-1 (Lin et al., arXiv
//   2305.08891)
// DDIM: Song et al., ICLR 2021, arXiv 2010.02502.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <diffsiam/core/error.hpp>
#include <diffsiam/core/text.hpp>
#include <diffsiam/diffusion/noise_schedule.hpp>

namespace diffsiam::diffusion {

/// One network evaluation at `t`, which takes x from noise level `abar_from` to `abar_to`.
struct Hop {
  int t = 0;             ///< given to the network and to the partition
  double abar_from = 1;  ///< always abar(t)
  double abar_to = 1;
  bool last = false;  ///< the last of its list
  [[nodiscard]] constexpr bool operator==(Hop const&) const = default;
};

/// Where encoding on a leading or trailing grid ends.
enum class EncodeEnd {
  stay_on_grid,  // at abar(S_{N-1}), where decoding begins: N-1 hops
  at_zero        // with one more hop to abar = 0, as published: N hops
};

/// How a TimeGrid chooses its time-steps; see the head of this file.
enum class GridKind { linspace, leading, trailing };

/// "linspace", "leading" or "trailing".
[[nodiscard]] constexpr std::string_view to_string(GridKind kind) {
  switch (kind) {
    case GridKind::linspace:
      return "linspace";
    case GridKind::leading:
      return "leading";
    case GridKind::trailing:
      return "trailing";
  }
  return "unknown";
}

/// N steps over a schedule of T time-steps. If the grid cannot have exactly N steps, this is a ConfigError; N
/// is never changed.
class TimeGrid {
 public:
  /// N+1 time-steps 0 .. T-1 for N hops; 1 <= N <= T-1, because a larger N would repeat a time-step.
  [[nodiscard]] static TimeGrid linspace(int timesteps, int steps) {
    require_steps("TimeGrid::linspace", timesteps, steps, timesteps - 1);
    std::vector<int> grid;
    for (int i = 0; i <= steps; ++i) {
      grid.push_back(static_cast<int>(static_cast<std::int64_t>(i) * (timesteps - 1) / steps));
    }
    return TimeGrid(GridKind::linspace, timesteps, steps, std::move(grid));
  }

  /// N time-steps 0, s, 2s, ...; N must divide T.
  [[nodiscard]] static TimeGrid leading(int timesteps, int steps) {
    require_divisor("TimeGrid::leading", timesteps, steps);
    std::vector<int> grid;
    for (int i = 0; i < steps; ++i) grid.push_back(i * (timesteps / steps));
    return TimeGrid(GridKind::leading, timesteps, steps, std::move(grid));
  }

  /// N time-steps ..., T-1-s, T-1; N must divide T.
  [[nodiscard]] static TimeGrid trailing(int timesteps, int steps) {
    require_divisor("TimeGrid::trailing", timesteps, steps);
    std::vector<int> grid;
    for (int i = 0; i < steps; ++i) grid.push_back(timesteps - 1 - (steps - 1 - i) * (timesteps / steps));
    return TimeGrid(GridKind::trailing, timesteps, steps, std::move(grid));
  }

  /// The grid of a kind; throws ConfigError as that kind does.
  [[nodiscard]] static TimeGrid make(GridKind kind, int timesteps, int steps) {
    if (kind == GridKind::linspace) return linspace(timesteps, steps);
    return kind == GridKind::leading ? leading(timesteps, steps) : trailing(timesteps, steps);
  }

  /// How its time-steps are spaced.
  [[nodiscard]] GridKind kind() const { return kind_; }
  /// T of the schedule that this grid belongs to.
  [[nodiscard]] int timesteps() const { return timesteps_; }
  /// The requested N: the number of hops of a decode.
  [[nodiscard]] int step_count() const { return step_count_; }
  /// S, ascending: N+1 time-steps for linspace, otherwise N. For a temporary grid this returns a copy,
  /// because a view would outlive the grid.
  [[nodiscard]] std::span<int const> steps() const& { return steps_; }
  [[nodiscard]] std::vector<int> steps() && { return std::move(steps_); }

  /// From noise to image, N hops, each at S_i from abar(S_i) to abar(S_{i-1}).
  /// linspace: i = N .. 1, ending at abar(0). leading and trailing: i = N-1 .. 0, the last hop to abar = 1.
  [[nodiscard]] std::vector<Hop> decode(NoiseSchedule const& schedule) const {
    require_schedule("TimeGrid::decode", schedule);
    std::size_t const first = kind_ == GridKind::linspace ? 1 : 0;
    std::vector<Hop> hops;
    for (std::size_t i = steps_.size(); i-- > first;) {
      hops.push_back({steps_[i], schedule.abar(steps_[i]), i == 0 ? 1.0 : schedule.abar(steps_[i - 1])});
    }
    hops.back().last = true;
    return hops;
  }

  /// From image to noise, each hop at S_i from abar(S_i) to abar(S_{i+1}). x_0 is treated as if its noise
  /// level were abar(S_0).
  /// linspace: i = 0 .. N-1, ending at abar(T-1); `at_zero` is a ConfigError. leading and trailing: i = 0 ..
  /// N-2, and with `at_zero` one more hop, at S_{N-1} to abar = 0. With N = 1 and `stay_on_grid` the list is
  /// empty, because decoding begins at x_0's own level. S_0 is 0 for linspace and leading. For trailing it is
  /// s-1, so an encode with few steps treats a clean picture as a noisy one: prefer another grid for
  /// encoding.
  [[nodiscard]] std::vector<Hop> encode(NoiseSchedule const& schedule,
                                        EncodeEnd end = EncodeEnd::stay_on_grid) const {
    require_schedule("TimeGrid::encode", schedule);
    if (kind_ == GridKind::linspace && end == EncodeEnd::at_zero) {
      fail<ConfigError>(
          "TimeGrid::encode", "EncodeEnd::stay_on_grid on a linspace grid", "EncodeEnd::at_zero",
          "linspace ends at the last time-step; only leading and trailing have a step to abar = 0");
    }
    std::vector<Hop> hops;
    for (std::size_t i = 0; i + 1 < steps_.size(); ++i) {
      hops.push_back({steps_[i], schedule.abar(steps_[i]), schedule.abar(steps_[i + 1])});
    }
    if (end == EncodeEnd::at_zero) hops.push_back({steps_.back(), schedule.abar(steps_.back()), 0.0});
    if (!hops.empty()) hops.back().last = true;
    return hops;
  }

  /// The betas of the shorter chain that visits only S: 1 - abar(S_i)/abar(S_{i-1}); the first is 1 -
  /// abar(S_0).
  [[nodiscard]] std::vector<double> respaced_betas(NoiseSchedule const& schedule) const {
    require_schedule("TimeGrid::respaced_betas", schedule);
    std::vector<double> betas;
    double previous = 1;
    for (int const t : steps_) {
      betas.push_back(1 - schedule.abar(t) / previous);
      previous = schedule.abar(t);
    }
    return betas;
  }

  [[nodiscard]] bool operator==(TimeGrid const&) const = default;

 private:
  TimeGrid(GridKind kind, int timesteps, int step_count, std::vector<int> steps)
      : kind_(kind), timesteps_(timesteps), step_count_(step_count), steps_(std::move(steps)) {}

  static void require_steps(std::string_view operation, int timesteps, int steps, int most) {
    if (timesteps < 2) {
      fail<ConfigError>(operation, "a schedule of at least 2 time-steps", timesteps);
    }
    if (steps < 1 || steps > most) {
      fail<ConfigError>(operation, {"1 to ", most, " steps over ", timesteps, " time-steps"}, steps);
    }
  }

  static void require_divisor(std::string_view operation, int timesteps, int steps) {
    require_steps(operation, timesteps, steps, timesteps);
    if (timesteps % steps != 0) {
      fail<ConfigError>(operation, {"a number of steps that divides ", timesteps}, steps,
                        "linspace takes any number of steps");
    }
  }

  void require_schedule(std::string_view operation, NoiseSchedule const& schedule) const {
    if (schedule.timesteps() != timesteps_) {
      fail<ConfigError>(operation, {"a schedule of ", timesteps_, " time-steps"}, schedule.timesteps());
    }
  }

  GridKind kind_;
  int timesteps_;
  int step_count_;
  std::vector<int> steps_;
};

}  // namespace diffsiam::diffusion
