// What the programs print, and the time they take.
#pragma once

#include <chrono>
#include <ctime>
#include <iostream>
#include <string_view>

namespace experiments {

using Clock = std::chrono::steady_clock;

[[nodiscard]] inline double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

/// Processor time of all threads of this process so far: it depends far less than time that passes on what
/// else runs on the machine.
[[nodiscard]] inline double processor_seconds() {
  return static_cast<double>(std::clock()) / CLOCKS_PER_SEC;
}

/// A line about work that has begun.
inline void say(std::string_view line) {
  std::cout << line << std::endl;
}

}  // namespace experiments
