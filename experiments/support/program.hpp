// How every program begins and ends: --help and --version, bad options refused with the option's name and
// what it may be, errors in one line that begins with the program's name, and an exit status that scripts can
// tell apart.
#pragma once

#include <cstdio>
#include <exception>
#include <string>

#include <CLI/CLI.hpp>

#include <diffsiam/core/build_info.hpp>
#include <diffsiam/core/error.hpp>

#include <experiments/support/interrupt.hpp>

namespace experiments {

/// Parses the options of `app`, which bears the program's name, and runs body(). 0 when it returns or help
/// was asked for, 1 when it throws, 2 for a bad option, 128 + the signal when one stopped it.
template <class Body>
[[nodiscard]] int run_program(CLI::App& app, int argc, char const* const* argv, Body&& body) {
  std::string const name = app.get_name();
  app.set_version_flag("--version", name + " " + diffsiam::version() + "\n" + to_text(diffsiam::build_info()),
                       "Print version, compiler and backends and exit");
  try {
    app.parse(argc, argv);
  } catch (CLI::ParseError const& error) {
    if (error.get_exit_code() == 0) return app.exit(error);  // help or version
    std::fprintf(stderr, "%s: %s (see %s --help)\n", name.c_str(), error.what(), name.c_str());
    return 2;
  }
  try {
    body();
    return 0;
  } catch (diffsiam::Interrupted const& stopped) {
    std::fprintf(stderr, "%s: %s; go on with --resume\n", name.c_str(), stopped.what());
    return 128 + stop_signal.load();
  } catch (std::exception const& error) {
    std::fprintf(stderr, "%s: %s\n", name.c_str(), error.what());
    return 1;
  }
}

}  // namespace experiments
