// Timing and memory of repeated work, and the one JSON line about it.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdio>
#include <fstream>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include <diffsiam/core/profile.hpp>

namespace bench {

using Json = nlohmann::ordered_json;

/// A line of /proc/self/status in bytes; 0 where there is none.
[[nodiscard]] inline std::size_t process_bytes(std::string const& key) {
  std::ifstream status{"/proc/self/status"};
  std::string word;
  while (status >> word) {
    std::size_t kilobytes = 0;
    if (word == key + ":" && status >> kilobytes) return kilobytes * 1024;
  }
  return 0;
}

[[nodiscard]] inline double median(std::vector<double> values) {
  auto const middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

/// Seconds of each call of `work` after `warm_up` calls: `count` of them, or as many as fit into ten seconds
/// (at least five).
template <class F>
[[nodiscard]] std::vector<double> time_calls(int warm_up, int count, F const& work) {
  using Clock = std::chrono::steady_clock;
  std::vector<double> seconds;
  double total = 0;
  for (int call = -warm_up; count > 0 ? call < count : call < 5 || total < 10; ++call) {
    auto const start = Clock::now();
    work();
    if (call < 0) continue;
    seconds.push_back(std::chrono::duration<double>(Clock::now() - start).count());
    total += seconds.back();
  }
  return seconds;
}

/// Seconds by operation and direction, each a share of one call, the greatest first.
[[nodiscard]] inline Json profile_json(diffsiam::Profile const& profile, std::size_t calls) {
  std::vector<std::pair<double, std::string>> rows;
  for (auto const& [key, entry] : profile.entries())
    rows.emplace_back(
        entry.seconds / static_cast<double>(calls),
        key.first + (key.second == diffsiam::Profile::Direction::forward ? " forward" : " backward"));
  std::sort(rows.rbegin(), rows.rend());
  Json result = Json::object();
  for (auto const& [seconds, name] : rows) result[name] = seconds;
  return result;
}

inline void print_line(Json const& record) {
  std::printf("%s\n", record.dump().c_str());
}

}  // namespace bench
