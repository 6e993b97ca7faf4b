// LossScaler: dynamic loss scaling, so that gradients in float16 do not vanish below its smallest number
// (Micikevicius et al., "Mixed Precision Training", ICLR 2018, section 3.2): the loss is multiplied by a
// scale before the backward pass and the gradients divided by it after; a step whose gradients overflow is
// left out and halves the scale, many good ones in a row double it.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>

#include <diffsiam/core/error.hpp>
#include <diffsiam/train/elements.hpp>

namespace diffsiam::train {

class LossScaler {
 public:
  struct Config {
    double scale = 65536;           ///< of the first step; powers of two round nothing
    std::uint64_t patience = 2000;  ///< good steps in a row before the scale doubles
    double least = 1;               ///< the scale is halved no further
    double most = 16777216;         ///< nor doubled
  };
  /// What a run is resumed from.
  struct State {
    double scale = 0;
    std::uint64_t good_steps = 0;  ///< in a row, since the scale last changed
    [[nodiscard]] bool operator==(State const&) const = default;
  };

  LossScaler() : LossScaler(Config{}) {}
  /// Throws ConfigError unless least <= scale <= most, all powers of two, and patience is 1 or more.
  DIFFSIAM_STEERS explicit LossScaler(Config config) : config_(config), state_{config.scale, 0} {
    require_power_of_two("least", config.least);
    require_power_of_two("most", config.most);
    require_power_of_two("scale", config.scale);
    if (config.patience < 1) fail<ConfigError>("LossScaler", "patience of 1 or more", config.patience);
    require_in_bounds(config.scale);
  }

  /// What the loss of the coming step is multiplied by.
  [[nodiscard]] double scale() const { return state_.scale; }
  /// Whether gradients that are not finite may be the scale's fault.
  [[nodiscard]] bool can_shrink() const { return state_.scale > config_.least; }
  /// After a step whose gradients were finite, or were not.
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
  /// Throws ConfigError for a state that these settings do not lead to.
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
