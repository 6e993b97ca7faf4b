// NoiseSchedule: how much noise each time-step adds, and every table that follows from it.
//   alpha = 1 - beta,  abar_t = alpha_0 ... alpha_t,  abar_{-1} = 1
//   x_t = sqrt(abar) x_0 + sqrt(1 - abar) eps
// Ho et al., "Denoising diffusion probabilistic models", NeurIPS 2020, arXiv 2006.11239. Computed in double.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <diffsiam/core/error.hpp>
#include <diffsiam/core/text.hpp>
#include <diffsiam/diffusion/beta_schedules.hpp>
#include <diffsiam/diffusion/noise_tables.hpp>

namespace diffsiam::diffusion {

/// An immutable schedule of T time-steps 0 .. T-1. Copies share their tables, so copying is cheap, and many
/// threads may read one schedule. Every builder needs T >= 2 (the logarithm of the first step is taken from
/// the second) and betas inside (0, 1); anything else is a ConfigError that names index and value.
class NoiseSchedule {
 public:
  /// From any BetaSchedule, the user's own too: NoiseSchedule::of(LinearBetas{1e-4, 0.02}, 1000).
  template <class S>
  [[nodiscard]] static NoiseSchedule of(S const& schedule, int timesteps = 1000,
                                        std::string_view operation = "NoiseSchedule::of") {
    static_assert(
        BetaSchedule<S>,
        "A noise schedule is called with (int t, int timesteps) and returns beta_t; see BetaSchedule.");
    if (timesteps < 2) fail<ConfigError>(operation, "at least 2 time-steps", timesteps);
    std::vector<double> betas;
    for (int t = 0; t < timesteps; ++t) betas.push_back(static_cast<double>(schedule(t, timesteps)));
    return build(operation, std::move(betas));
  }
  /// LinearBetas.
  [[nodiscard]] static NoiseSchedule linear(int timesteps = 1000, double beta_start = 1e-4,
                                            double beta_end = 0.02) {
    return of(LinearBetas{beta_start, beta_end}, timesteps, "NoiseSchedule::linear");
  }
  /// CosineBetas.
  [[nodiscard]] static NoiseSchedule cosine(int timesteps = 1000, double s = 0.008, double max_beta = 0.999) {
    return of(CosineBetas{s, max_beta}, timesteps, "NoiseSchedule::cosine");
  }
  /// SigmoidBetas.
  [[nodiscard]] static NoiseSchedule sigmoid(int timesteps = 1000, double beta_start = 1e-4,
                                             double beta_end = 0.02, double range = 6) {
    return of(SigmoidBetas{beta_start, beta_end, range}, timesteps, "NoiseSchedule::sigmoid");
  }
  /// ScaledLinearBetas.
  [[nodiscard]] static NoiseSchedule scaled_linear(int timesteps = 1000, double beta_start = 0.0015,
                                                   double beta_end = 0.0195) {
    return of(ScaledLinearBetas{beta_start, beta_end}, timesteps, "NoiseSchedule::scaled_linear");
  }
  /// ConstantBetas.
  [[nodiscard]] static NoiseSchedule constant(int timesteps = 1000, double beta = 0.008) {
    return of(ConstantBetas{beta}, timesteps, "NoiseSchedule::constant");
  }

  /// Any betas, one for each time-step.
  [[nodiscard]] static NoiseSchedule from_betas(std::span<double const> betas) {
    return build("NoiseSchedule::from_betas", {betas.begin(), betas.end()});
  }

  /// The same curve, with sqrt(abar) shifted and scaled so that its first value stays and its last value is
  /// exactly 0 (Lin et al., WACV 2024, arXiv 2305.08891, algorithm 1). The last step then contains nothing of
  /// x_0. Predict v or x_0: everything that is built on eps prediction refuses this schedule. See
  /// `has_zero_terminal_snr`.
  [[nodiscard]] NoiseSchedule with_zero_terminal_snr() const {
    auto const& root = tables_->sqrt_alphas_cumprod;
    if (!(root[root.size() - 2] > root.back())) {
      fail<ConfigError>("NoiseSchedule::with_zero_terminal_snr", "a last step that adds noise",
                        {"beta[", timesteps() - 1, "] = ", betas().back()});
    }
    double const scale = root.front() / (root.front() - root.back());
    std::vector<double> betas;
    betas.reserve(root.size());
    double previous = 1;
    for (double value : root) {
      double const shifted = (value - root.back()) * scale;
      betas.push_back(1 - shifted * shifted / previous);
      previous = shifted * shifted;
    }
    return NoiseSchedule(std::make_shared<detail::NoiseTables const>(std::move(betas)));
  }

  /// T, the number of time-steps.
  [[nodiscard]] int timesteps() const { return static_cast<int>(tables_->betas.size()); }

  /// True where abar of the last step is 0. Tables that divide by sqrt(abar) or sqrt(alpha) are then refused.
  [[nodiscard]] bool has_zero_terminal_snr() const { return tables_->alphas_cumprod.back() == 0; }

  /// Throws RangeError unless 0 <= t < T; `operation` opens the message.
  void require_timestep(int t, std::string_view operation = "NoiseSchedule") const {
    if (t < 0 || t >= timesteps()) {
      fail<RangeError>(operation, {"a time-step in [0, ", timesteps(), ")"}, t);
    }
  }

  /// Throws ConfigError with zero terminal SNR. For code that predicts eps, or that divides by sqrt(abar).
  void require_signal(std::string_view operation) const {
    if (has_zero_terminal_snr()) {
      fail<ConfigError>(
          operation, "a schedule whose SNR is above 0 at every step",
          {"zero terminal SNR (abar = 0 at t = ", timesteps() - 1, ")"},
          "eps prediction and 1/sqrt(abar) have no meaning there: use v prediction or x_0 prediction");
    }
  }

  /// abar_t for -1 <= t < T, where abar_{-1} = 1.
  [[nodiscard]] double abar(int t) const {
    if (t == -1) return 1;
    require_timestep(t, "NoiseSchedule::abar");
    return tables_->alphas_cumprod[static_cast<std::size_t>(t)];
  }

  // Every table has T entries and lives as long as any copy of the schedule.

  /// beta_t, inside (0, 1); 1 at the last step with zero terminal SNR.
  [[nodiscard]] std::span<double const> betas() const& { return tables_->betas; }
  /// 1 - beta_t.
  [[nodiscard]] std::span<double const> alphas() const& { return tables_->alphas; }
  /// abar_t.
  [[nodiscard]] std::span<double const> alphas_cumprod() const& { return tables_->alphas_cumprod; }
  /// abar_{t-1}; 1 at t = 0.
  [[nodiscard]] std::span<double const> alphas_cumprod_prev() const& { return tables_->alphas_cumprod_prev; }
  /// sqrt(abar_t), the factor of x_0 in x_t.
  [[nodiscard]] std::span<double const> sqrt_alphas_cumprod() const& { return tables_->sqrt_alphas_cumprod; }
  /// sqrt(1 - abar_t), the factor of eps in x_t.
  [[nodiscard]] std::span<double const> sqrt_one_minus_alphas_cumprod() const& {
    return tables_->sqrt_one_minus_alphas_cumprod;
  }
  /// SNR = abar / (1 - abar).
  [[nodiscard]] std::span<double const> snr() const& { return tables_->snr; }

  /// 1/sqrt(abar): x_0 = this x_t - sqrt_recip_alphas_cumprod_m1 eps. ConfigError with zero terminal SNR.
  [[nodiscard]] std::span<double const> sqrt_recip_alphas_cumprod() const& {
    require_signal("NoiseSchedule::sqrt_recip_alphas_cumprod");
    return tables_->sqrt_recip_alphas_cumprod;
  }
  /// sqrt(1/abar - 1). ConfigError with zero terminal SNR.
  [[nodiscard]] std::span<double const> sqrt_recip_alphas_cumprod_m1() const& {
    require_signal("NoiseSchedule::sqrt_recip_alphas_cumprod_m1");
    return tables_->sqrt_recip_alphas_cumprod_m1;
  }

  /// Variance of q(x_{t-1} | x_t, x_0): beta (1 - abar_{t-1})/(1 - abar); 0 at t = 0.
  [[nodiscard]] std::span<double const> posterior_variance() const& { return tables_->posterior_variance; }
  /// Its logarithm; the value at t = 0 is taken from t = 1.
  [[nodiscard]] std::span<double const> posterior_log_variance() const& {
    return tables_->posterior_log_variance;
  }
  /// Posterior mean = this x_0 + posterior_mean_x_t_coef x_t: beta sqrt(abar_{t-1})/(1 - abar).
  [[nodiscard]] std::span<double const> posterior_mean_x_0_coef() const& {
    return tables_->posterior_mean_x_0_coef;
  }
  /// sqrt(alpha)(1 - abar_{t-1})/(1 - abar).
  [[nodiscard]] std::span<double const> posterior_mean_x_t_coef() const& {
    return tables_->posterior_mean_x_t_coef;
  }
  /// Posterior mean written with eps = this x_t - noise_posterior_mean_noise_coef eps: 1/sqrt(alpha).
  /// ConfigError with zero terminal SNR.
  [[nodiscard]] std::span<double const> noise_posterior_mean_x_t_coef() const& {
    require_signal("NoiseSchedule::noise_posterior_mean_x_t_coef");
    return tables_->noise_posterior_mean_x_t_coef;
  }
  /// beta/(sqrt(alpha) sqrt(1 - abar)), to be subtracted. ConfigError with zero terminal SNR.
  [[nodiscard]] std::span<double const> noise_posterior_mean_noise_coef() const& {
    require_signal("NoiseSchedule::noise_posterior_mean_noise_coef");
    return tables_->noise_posterior_mean_noise_coef;
  }

  /// c_t = -sqrt(alpha)(1 - abar_{t-1})/sqrt(1 - abar), the factor of G in training and in ancestral
  /// sampling; 0 at t = 0 (PDAE, NeurIPS 2022, arXiv 2212.12990).
  [[nodiscard]] std::span<double const> shift_coef() const& { return tables_->shift_coef; }
  /// -sqrt(1 - abar), the factor of G in DDIM.
  [[nodiscard]] std::span<double const> ddim_shift_coef() const& { return tables_->ddim_shift_coef; }

  // Not for temporaries, which may be the last copy.
  void betas() const&& = delete;
  void alphas() const&& = delete;
  void alphas_cumprod() const&& = delete;
  void alphas_cumprod_prev() const&& = delete;
  void sqrt_alphas_cumprod() const&& = delete;
  void sqrt_one_minus_alphas_cumprod() const&& = delete;
  void snr() const&& = delete;
  void sqrt_recip_alphas_cumprod() const&& = delete;
  void sqrt_recip_alphas_cumprod_m1() const&& = delete;
  void posterior_variance() const&& = delete;
  void posterior_log_variance() const&& = delete;
  void posterior_mean_x_0_coef() const&& = delete;
  void posterior_mean_x_t_coef() const&& = delete;
  void noise_posterior_mean_x_t_coef() const&& = delete;
  void noise_posterior_mean_noise_coef() const&& = delete;
  void shift_coef() const&& = delete;
  void ddim_shift_coef() const&& = delete;

  /// Schedules are equal when their betas are.
  [[nodiscard]] bool operator==(NoiseSchedule const& other) const {
    return tables_ == other.tables_ || tables_->betas == other.tables_->betas;
  }

 private:
  explicit NoiseSchedule(std::shared_ptr<detail::NoiseTables const> tables) : tables_(std::move(tables)) {}

  static NoiseSchedule build(std::string_view operation, std::vector<double> betas) {
    detail::require_betas(operation, betas);
    return NoiseSchedule(std::make_shared<detail::NoiseTables const>(std::move(betas)));
  }

  std::shared_ptr<detail::NoiseTables const> tables_;
};

}  // namespace diffsiam::diffusion
