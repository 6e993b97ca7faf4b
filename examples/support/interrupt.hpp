// Ctrl-C asks a run to stop at the next step; a second one ends the program at once.
#pragma once

#include <atomic>
#include <csignal>

namespace example {

/// The flag that a signal handler can set: the one piece of global state, and the program's, not the
/// library's.
inline std::atomic<bool> stop_requested{false};
static_assert(std::atomic<bool>::is_always_lock_free);

inline void stop_on_interrupt() {
  std::signal(SIGINT, [](int signal) {
    stop_requested.store(true);
    std::signal(signal, SIG_DFL);
  });
}

}  // namespace example
