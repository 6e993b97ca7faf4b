// Profile: where the time of a computation goes, by operation and direction.
#pragma once

#include <chrono>
#include <map>
#include <string>
#include <string_view>
#include <utility>

#include <diffsiam/core/shape.hpp>

namespace diffsiam {

/// Filled by the contexts it is handed to; used by one thread at a time.
class Profile {
 public:
  enum class Direction { forward, backward };
  struct Entry {
    double seconds = 0;
    Index calls = 0;
  };
  using Key = std::pair<std::string, Direction>;

  void add(std::string_view operation, Direction direction, double seconds) {
    Entry& entry = entries_[Key{operation, direction}];
    entry.seconds += seconds;
    entry.calls += 1;
  }
  [[nodiscard]] std::map<Key, Entry> const& entries() const { return entries_; }
  [[nodiscard]] double seconds() const {
    double sum = 0;
    for (auto const& [key, entry] : entries_) sum += entry.seconds;
    return sum;
  }
  void reset() { entries_.clear(); }

 private:
  std::map<Key, Entry> entries_;
};

/// Adds the time of its life to the profile, if there is one.
class ProfileScope {
 public:
  ProfileScope(Profile* profile, std::string_view operation, Profile::Direction direction)
      : profile_(profile), operation_(operation), direction_(direction) {
    if (profile_ != nullptr) start_ = Clock::now();
  }
  ProfileScope(ProfileScope const&) = delete;
  ProfileScope& operator=(ProfileScope const&) = delete;
  ~ProfileScope() {
    if (profile_ != nullptr)
      profile_->add(operation_, direction_, std::chrono::duration<double>(Clock::now() - start_).count());
  }

 private:
  using Clock = std::chrono::steady_clock;
  Profile* profile_;
  std::string_view operation_;
  Profile::Direction direction_;
  Clock::time_point start_{};
};

}  // namespace diffsiam
