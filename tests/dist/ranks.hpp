// Runs a function on each of several ranks, which are threads of this process.
#pragma once

#include <chrono>
#include <exception>
#include <thread>
#include <vector>

#include <tests/support/catch.hpp>

#include <diffsiam/dist/thread_ranks.hpp>

namespace diffsiam::test {

/// What each rank ended with; null where it ended well.
template <class F>
[[nodiscard]] std::vector<std::exception_ptr> outcomes(
    int size, F const& f, std::chrono::milliseconds time_out = std::chrono::seconds{60}) {
  dist::ThreadRanks ranks{size, time_out};
  std::vector<std::exception_ptr> errors(static_cast<std::size_t>(size));
  {
    std::vector<std::jthread> threads;
    for (int number = 0; number < size; ++number)
      threads.emplace_back([&, number] {
        dist::ThreadRank rank{ranks, number};
        try {
          f(rank);
        } catch (...) {
          errors[static_cast<std::size_t>(number)] = std::current_exception();
        }
      });
  }
  return errors;
}

/// f(rank) on all ranks. An exception is rethrown here. Catch's macros are for one thread, so f returns or
/// stores what is checked.
template <class F>
void on_ranks(int size, F const& f) {
  for (std::exception_ptr const& error : outcomes(size, f))
    if (error) std::rethrow_exception(error);
}

/// The message of an outcome; empty where it ended well.
[[nodiscard]] inline std::string message_of(std::exception_ptr const& error) {
  if (!error) return {};
  try {
    std::rethrow_exception(error);
  } catch (std::exception const& e) {
    return e.what();
  }
}

}  // namespace diffsiam::test
