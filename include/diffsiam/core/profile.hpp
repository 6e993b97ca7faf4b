// Profile: where the time of a computation goes, by operation and direction.
#pragma once

#include <chrono>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <diffsiam/core/observer.hpp>
#include <diffsiam/core/shape.hpp>

namespace diffsiam {

/// Collects times while it observes a context; used by one thread at a time.
class Profile final : public Observer {
 public:
  /// The sum over all runs of one operation in one direction.
  struct Entry {
    double seconds = 0;  ///< wall time; what is nested in the operation counts, too
    Index calls = 0;     ///< how often it ran
  };
  /// The name of the operation and the direction.
  using Key = std::pair<std::string, Direction>;

  /// Starts the time of an operation; end() adds it to its entry.
  void begin(std::string_view operation, Direction direction) override {
    running_.push_back({&entries_[Key{operation, direction}], Clock::now()});
  }
  void end() noexcept override {
    auto const [entry, start] = running_.back();
    entry->seconds += std::chrono::duration<double>(Clock::now() - start).count();
    entry->calls += 1;
    running_.pop_back();
  }

  /// One entry for each operation and direction that was seen.
  [[nodiscard]] std::map<Key, Entry> const& entries() const& { return entries_; }
  [[nodiscard]] std::map<Key, Entry> entries() const&& { return entries_; }
  /// The sum over all entries; nested operations count twice.
  [[nodiscard]] double seconds() const {
    double sum = 0;
    for (auto const& [key, entry] : entries_) sum += entry.seconds;
    return sum;
  }
  /// Must not be called while an operation runs.
  void reset() { entries_.clear(); }

 private:
  using Clock = std::chrono::steady_clock;
  struct Running {
    Entry* entry;
    Clock::time_point start;
  };
  std::map<Key, Entry> entries_;
  std::vector<Running> running_;
};

}  // namespace diffsiam
