// NoiseTables: the coefficient tables of NoiseSchedule, and the checks on its betas. Formulas: Ho et al.
// 2020, arXiv 2006.11239 (equations 4 to 12); the shift: PDAE, arXiv 2212.12990.
#pragma once

#include <cmath>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <diffsiam/config.hpp>
#include <diffsiam/core/error.hpp>
#include <diffsiam/core/text.hpp>

namespace diffsiam::diffusion::detail {

/// Throws ConfigError unless beta is inside (0, 1); NaN is not.
inline void require_beta(std::string_view operation, std::ptrdiff_t index, double beta) {
  if (!(beta > 0 && beta < 1)) {
    fail<ConfigError>(operation, "every beta inside (0, 1)", {"beta[", index, "] = ", beta});
  }
}

/// Throws ConfigError unless T >= 2, all betas are inside (0, 1), and double can represent every abar as
/// different from 0 and from 1.
DIFFSIAM_STEERS inline void require_betas(std::string_view operation, std::span<double const> betas) {
  if (betas.size() < 2) {
    fail<ConfigError>(operation, "at least 2 time-steps", betas.size());
  }
  double abar = 1;
  for (std::size_t t = 0; t < betas.size(); ++t) {
    require_beta(operation, static_cast<std::ptrdiff_t>(t), betas[t]);
    abar *= 1 - betas[t];
    if (1 - betas[t] == 1) {
      fail<ConfigError>(operation, "betas that double can tell from 0", {"beta[", t, "] = ", betas[t]});
    }
    if (!std::isnormal(abar)) {
      fail<ConfigError>(operation, "betas whose products of (1 - beta) stay above 0 in double",
                        {"abar = ", abar, " at t = ", t}, "fewer time-steps or smaller betas");
    }
  }
}

/// The t-th of T values from `first` to `last` in equal steps, both included.
[[nodiscard]] inline double even_step(double first, double last, int t, int timesteps) {
  return t == timesteps - 1 ? last : first + t * ((last - first) / (timesteps - 1));
}

/// Not inlined: there are sixteen tables.
DIFFSIAM_OUT_OF_LINE inline void append(std::vector<double>& table, double value) {
  table.push_back(value);
}

/// Every table, with T entries each; the accessors of NoiseSchedule say what each one means. If the last beta
/// is exactly 1 (zero terminal SNR), the last entries of tables that divide by sqrt(abar) or sqrt(alpha) are
/// infinite.
struct NoiseTables {
  explicit NoiseTables(std::vector<double> given) : betas(std::move(given)) {
    double previous = 1;
    for (double const beta : betas) {
      double const alpha = 1 - beta;
      double const abar = previous * alpha;
      double const noise = 1 - abar;
      double const root_noise = std::sqrt(noise);
      double const root_alpha = std::sqrt(alpha);
      append(alphas, alpha);
      append(alphas_cumprod, abar);
      append(alphas_cumprod_prev, previous);
      append(sqrt_alphas_cumprod, std::sqrt(abar));
      append(sqrt_one_minus_alphas_cumprod, root_noise);
      append(sqrt_recip_alphas_cumprod, std::sqrt(1 / abar));
      append(sqrt_recip_alphas_cumprod_m1, std::sqrt(1 / abar - 1));
      append(snr, abar / noise);
      append(posterior_variance, beta * (1 - previous) / noise);
      append(posterior_log_variance, std::log(posterior_variance.back()));
      append(posterior_mean_x_0_coef, beta * std::sqrt(previous) / noise);
      append(posterior_mean_x_t_coef, root_alpha * (1 - previous) / noise);
      append(noise_posterior_mean_x_t_coef, 1 / root_alpha);
      append(noise_posterior_mean_noise_coef, beta / (root_alpha * root_noise));
      append(shift_coef, -root_alpha * (1 - previous) / root_noise);
      append(ddim_shift_coef, -root_noise);
      previous = abar;
    }
    // The variance is 0 at t = 0, and its logarithm would be -inf.
    posterior_log_variance[0] = posterior_log_variance[1];
  }

  std::vector<double> betas;
  std::vector<double> alphas;
  std::vector<double> alphas_cumprod;
  std::vector<double> alphas_cumprod_prev;
  std::vector<double> sqrt_alphas_cumprod;
  std::vector<double> sqrt_one_minus_alphas_cumprod;
  std::vector<double> sqrt_recip_alphas_cumprod;
  std::vector<double> sqrt_recip_alphas_cumprod_m1;
  std::vector<double> snr;
  std::vector<double> posterior_variance;
  std::vector<double> posterior_log_variance;
  std::vector<double> posterior_mean_x_0_coef;
  std::vector<double> posterior_mean_x_t_coef;
  std::vector<double> noise_posterior_mean_x_t_coef;
  std::vector<double> noise_posterior_mean_noise_coef;
  std::vector<double> shift_coef;
  std::vector<double> ddim_shift_coef;
};

}  // namespace diffsiam::diffusion::detail
