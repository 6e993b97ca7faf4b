// How every program ends: with what went wrong in one line, and with an exit status that scripts can tell
// apart.
#pragma once

#include <cstdio>
#include <exception>

#include <diffsiam/core/error.hpp>

namespace example {

/// Runs body(); 0 when it returns, 130 when Ctrl-C stopped it, 1 with the message when it throws.
template <class Body>
[[nodiscard]] int run_program(char const* name, Body&& body) {
  try {
    body();
    return 0;
  } catch (diffsiam::Interrupted const& stopped) {
    std::fprintf(stderr, "\n%s\n", stopped.what());
    return 130;
  } catch (std::exception const& error) {
    std::fprintf(stderr, "\n%s: %s\n", name, error.what());
    return 1;
  }
}

}  // namespace example
