// Ctrl-C and SIGTERM while a run trains: it stops at the next step and saves; a second signal ends it at
// once. Everywhere else they end the program at once, as they always do: what was saved before is whole.
#pragma once

#include <atomic>
#include <csignal>

namespace experiments {

/// What a signal handler can set: the one piece of global state, and the program's, not the library's.
inline std::atomic<bool> stop_requested{false};
inline std::atomic<int> stop_signal{0};  ///< which one asked
static_assert(std::atomic<bool>::is_always_lock_free && std::atomic<int>::is_always_lock_free);

/// As long as it lives, a signal asks for a stop.
class StopOnSignals {
 public:
  StopOnSignals()
      : interrupt_(std::signal(SIGINT, request_stop)), terminate_(std::signal(SIGTERM, request_stop)) {}
  StopOnSignals(StopOnSignals const&) = delete;
  StopOnSignals& operator=(StopOnSignals const&) = delete;
  ~StopOnSignals() {
    std::signal(SIGINT, interrupt_);
    std::signal(SIGTERM, terminate_);
  }

 private:
  using Handler = void (*)(int);

  static void request_stop(int signal) {
    stop_signal.store(signal);
    stop_requested.store(true);
    std::signal(SIGINT, SIG_DFL);
    std::signal(SIGTERM, SIG_DFL);
  }

  Handler interrupt_, terminate_;
};

}  // namespace experiments
