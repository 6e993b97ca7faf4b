// Weightings: lambda_t, the weight of the squared error of eps at time-step t in the loss.
//   loss = mean over n, h, w, c of lambda_t (eps - prediction)^2
// A weighting of your own is any callable that takes (NoiseSchedule const&, int t) and returns a double:
//   struct Late {
//     double operator()(NoiseSchedule const& schedule, int t) const { return t > 500 ? 1 : 0; }
//   };
#pragma once

#include <cmath>
#include <concepts>
#include <cstddef>
#include <vector>

#include <diffsiam/diffusion/noise_schedule.hpp>

namespace diffsiam::diffusion {

/// Satisfied if and only if W can be copied, and calling a const W with (NoiseSchedule const&, int t) gives a
/// value convertible to double. It is called with 0 <= t < T only, and must return a finite number >= 0.
/// Models: SnrPower, ConstantWeight, MinSnr, P2.
template <class W>
concept Weighting =
    std::copy_constructible<W> && requires(W const& weighting, NoiseSchedule const& schedule, int t) {
      { weighting(schedule, t) } -> std::convertible_to<double>;
    };

/// SNR^power / (1 + SNR): small at both ends (PDAE, arXiv 2212.12990). On the linear schedule of 1000 steps
/// the maximum is 0.7225, at t = 475, and the mean is 0.4927. RangeError for t outside the schedule, here and
/// below.
struct SnrPower {
  double power = 0.1;  ///< in (0, 1) the weight is greatest at SNR = power / (1 - power)
  [[nodiscard]] double operator()(NoiseSchedule const& schedule, int t) const {
    schedule.require_timestep(t, "SnrPower");
    double const snr = schedule.snr()[static_cast<std::size_t>(t)];
    return std::pow(snr, power) / (1 + snr);
  }
};

/// The same at every step; 1 is the simple loss of Ho et al. 2020.
struct ConstantWeight {
  double weight = 1;  ///< at every t, 0 or more
  [[nodiscard]] double operator()(NoiseSchedule const& schedule, int t) const {
    schedule.require_timestep(t, "ConstantWeight");
    return weight;
  }
};

/// min(SNR, gamma)/SNR, in (0, 1]: min-SNR for a loss on eps (Hang et al., ICCV 2023, arXiv 2303.09556).
struct MinSnr {
  double gamma = 5;  ///< the SNR above which the weight falls, 5 in the paper
  [[nodiscard]] double operator()(NoiseSchedule const& schedule, int t) const {
    schedule.require_timestep(t, "MinSnr");
    double const snr = schedule.snr()[static_cast<std::size_t>(t)];
    return snr <= gamma ? 1 : gamma / snr;  // no 0/0 where the SNR is 0
  }
};

/// 1/(k + SNR)^gamma: P2 (Choi et al., CVPR 2022, arXiv 2204.00227).
/// `k` keeps the weight finite where the SNR is 0; `gamma` is how fast it falls with the SNR.
struct P2 {
  double k = 1;
  double gamma = 1;
  [[nodiscard]] double operator()(NoiseSchedule const& schedule, int t) const {
    schedule.require_timestep(t, "P2");
    return 1 / std::pow(k + schedule.snr()[static_cast<std::size_t>(t)], gamma);
  }
};

/// lambda_t of every step, T entries, from which losses read. Throws ConfigError for a weight that is
/// negative or not finite, such as a negative power of an SNR of 0.
template <Weighting W>
[[nodiscard]] std::vector<double> weight_table(NoiseSchedule const& schedule, W const& weighting) {
  std::vector<double> table(static_cast<std::size_t>(schedule.timesteps()));
  for (int t = 0; t < schedule.timesteps(); ++t) {
    auto const weight = static_cast<double>(weighting(schedule, t));
    if (!(weight >= 0 && std::isfinite(weight))) {
      fail<ConfigError>("weight_table", "finite weights of 0 or more", {"lambda = ", weight, " at t = ", t});
    }
    table[static_cast<std::size_t>(t)] = weight;
  }
  return table;
}

static_assert(Weighting<SnrPower>);
static_assert(Weighting<ConstantWeight>);
static_assert(Weighting<MinSnr>);
static_assert(Weighting<P2>);

}  // namespace diffsiam::diffusion
