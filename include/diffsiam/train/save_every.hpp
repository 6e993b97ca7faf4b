// SaveEvery and SaveTimer: when a run is saved, so that a killed run loses little and saving takes little
// time.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <functional>
#include <utility>

#include <diffsiam/train/elements.hpp>

namespace diffsiam::train {

/// A run is saved after a number of steps or seconds, whichever comes first, but never so often that saving
/// takes more than its share of the time. The results of a run do not depend on when it is saved.
struct SaveEvery {
  std::uint64_t steps = 0;  ///< since the last save; 0: only time counts
  double seconds = 60;      ///< the longest interval between saves; see `first`
  /// Seconds from the start to the first save. Each further interval is twice as long, up to `seconds`. So a
  /// run that is killed again and again keeps at least half of its work.
  double first = 1;
  /// After a save of s seconds there is no other one for s / most_share seconds, so a large model on a slow
  /// disk is saved less often. In (0, 1].
  double most_share = 0.01;
  /// Seconds since any fixed moment; it must never go back.
  std::function<double()> clock = [] {
    return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
  };
};

/// Tells when to save. It starts when it is made.
class SaveTimer {
 public:
  /// Throws ConfigError for times that are negative or not finite, and for a share outside (0, 1].
  explicit SaveTimer(SaveEvery config, std::uint64_t step = 0)
      : config_(std::move(config)), interval_(std::min(config_.first, config_.seconds)), saved_step_(step) {
    detail::require_not_negative("SaveEvery", "seconds", config_.seconds);
    detail::require_not_negative("SaveEvery", "first", config_.first);
    if (!(config_.most_share > 0 && config_.most_share <= 1))
      fail<ConfigError>("SaveEvery", "most_share in (0, 1]", config_.most_share);
    saved_at_ = config_.clock();
  }

  /// Whether a run that has done `step` steps should be saved now.
  [[nodiscard]] bool due(std::uint64_t step) const {
    double const passed = config_.clock() - saved_at_;
    bool const by_steps = config_.steps > 0 && step - saved_step_ >= config_.steps;
    return (by_steps || passed >= interval_) && passed * config_.most_share >= took_;
  }
  /// Calls f(), which saves, and begins the next interval.
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
  double saved_at_ = 0;  ///< when the last save ended, or when this was made
  std::uint64_t saved_step_;
};

}  // namespace diffsiam::train
