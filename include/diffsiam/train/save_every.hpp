// SaveEvery: when a run is saved, so that whoever kills it loses little, and saving costs next to nothing.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <functional>
#include <utility>

#include <diffsiam/train/elements.hpp>

namespace diffsiam::train {

/// By steps and by time, whichever comes first; never so often that saving takes more than its share of the
/// time. What a run computes does not depend on when it is saved.
struct SaveEvery {
  std::uint64_t steps = 0;  ///< since the last save; 0: by time alone
  double seconds = 60;      ///< since the last save, once that many have passed
  /// Of the first save after a start; each further interval is twice as long, up to `seconds`. So a run that
  /// is killed again and again keeps at least half of its work.
  double first = 1;
  /// A save that took s seconds is followed by none for s / most_share: a large model on a slow disk is saved
  /// less often. In (0, 1].
  double most_share = 0.01;
  /// Seconds since any fixed moment, never going back.
  std::function<double()> clock = [] {
    return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
  };
};

/// Says when it is time, from its making on.
class SaveTimer {
 public:
  /// Throws ConfigError for times that are negative or no numbers, and for a share outside (0, 1].
  explicit SaveTimer(SaveEvery config, std::uint64_t step = 0)
      : config_(std::move(config)), interval_(std::min(config_.first, config_.seconds)), saved_step_(step) {
    detail::require_not_negative("SaveEvery", "seconds", config_.seconds);
    detail::require_not_negative("SaveEvery", "first", config_.first);
    if (!(config_.most_share > 0 && config_.most_share <= 1))
      fail<ConfigError>("SaveEvery", "most_share in (0, 1]", config_.most_share);
    saved_at_ = config_.clock();
  }

  /// Whether the run, which has done `step` steps, should be saved now.
  [[nodiscard]] bool due(std::uint64_t step) const {
    double const passed = config_.clock() - saved_at_;
    bool const by_steps = config_.steps > 0 && step - saved_step_ >= config_.steps;
    return (by_steps || passed >= interval_) && passed * config_.most_share >= took_;
  }
  /// Saves by f() and begins the next interval.
  template <class F>
  void save(std::uint64_t step, F&& f) {
    double const begin = config_.clock();
    f();
    saved_at_ = config_.clock();
    took_ = saved_at_ - begin;
    saved_step_ = step;
    interval_ = std::min(2 * interval_, config_.seconds);
  }

 private:
  SaveEvery config_;
  double interval_;      ///< seconds to the next save
  double took_ = 0;      ///< seconds of the last save
  double saved_at_ = 0;  ///< when it had ended, or this was made
  std::uint64_t saved_step_;
};

}  // namespace diffsiam::train
