// LossScaler: dynamic loss scaling, so that small gradients do not underflow in float16 (Micikevicius et al.,
// "Mixed Precision Training", ICLR 2018, section 3.2). The loss is multiplied by a scale before the backward
// pass, and the gradients are divided by it. A step whose gradients overflow is skipped and the scale is
// halved; after many good steps in a row it is doubled.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>

#include <diffsiam/core/error.hpp>
#include <diffsiam/train/elements.hpp>

namespace diffsiam::train {

/// Holds the scale: multiply the loss by scale(), and call update() after each step.
class LossScaler {
 public:
  struct Config {
    double scale = 65536;           ///< at the first step; powers of two cause no rounding
    std::uint64_t patience = 2000;  ///< good steps in a row before the scale doubles
    double least = 1;               ///< the scale is never smaller
    double most = 16777216;         ///< and never larger
  };
  /// The state that a checkpoint saves.
  struct State {
    double scale = 0;              ///< the factor of the loss in the next step, a power of two
    std::uint64_t good_steps = 0;  ///< good steps in a row since the scale last changed
    [[nodiscard]] bool operator==(State const&) const = default;
  };

  LossScaler() : LossScaler(Config{}) {}
  /// Throws ConfigError unless least <= scale <= most, all are powers of two, and patience is at least 1.
  DIFFSIAM_STEERS explicit LossScaler(Config config) : config_(config), state_{config.scale, 0} {
    require_power_of_two("least", config.least);
    require_power_of_two("most", config.most);
    require_power_of_two("scale", config.scale);
    if (config.patience < 1) fail<ConfigError>("LossScaler", "patience of 1 or more", config.patience);
    require_in_bounds(config.scale);
  }

  /// The factor of the loss in the next step.
  [[nodiscard]] double scale() const { return state_.scale; }
  /// Whether the scale can be halved, so that gradients which are not finite may be due to the scale.
  [[nodiscard]] bool can_shrink() const { return state_.scale > config_.least; }
  /// Call it after each step; `finite` says whether the gradients were finite.
  void update(bool finite) {
    if (!finite) {
      state_ = {std::max(config_.least, state_.scale / 2), 0};
    } else if (++state_.good_steps == config_.patience) {
      state_ = {std::min(config_.most, state_.scale * 2), 0};
    }
  }

  [[nodiscard]] Config const& config() const& { return config_; }
  [[nodiscard]] Config config() const&& { return config_; }
  [[nodiscard]] State const& state() const& { return state_; }
  [[nodiscard]] State state() const&& { return state_; }
  /// Throws ConfigError for a state that is impossible with these settings.
  void restore(State const& state) {
    require_power_of_two("scale", state.scale);
    require_in_bounds(state.scale);
    if (state.good_steps >= config_.patience)
      fail<ConfigError>("LossScaler", {"fewer good steps than patience = ", config_.patience},
                        state.good_steps);
    state_ = state;
  }

 private:
  static void require_power_of_two(std::string_view setting, double value) {
    int exponent = 0;
    if (!(value > 0) || std::frexp(value, &exponent) != 0.5)
      fail<ConfigError>("LossScaler", {setting, " a power of two"}, value);
  }
  void require_in_bounds(double scale) const {
    if (scale < config_.least || scale > config_.most)
      fail<ConfigError>("LossScaler", {"scale in [", config_.least, ", ", config_.most, "]"}, scale);
  }

  Config config_;
  State state_;
};

}  // namespace diffsiam::train
