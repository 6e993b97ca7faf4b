// The main function of a step benchmark: options, the backend they name, one JSON line.
#pragma once

#include <cstdio>
#include <exception>
#include <string>

#include "options.hpp"

namespace bench {

/// measure.template operator()<B>(options) -> the record to print. Returns the exit status.
template <class F>
int run_program(int argc, char** argv, std::string const& purpose, F const& measure) {
  Options options;
  CLI::App app{purpose};
  add_options(app, options);
  CLI11_PARSE(app, argc, argv);
  try {
    example::with_backend(options, [&]<class B>() {
      std::printf("%s\n", measure.template operator()<B>(options).dump().c_str());
    });
    return 0;
  } catch (std::exception const& error) {
    std::fprintf(stderr, "%s: %s\n", argv[0], error.what());
    return 1;
  }
}

}  // namespace bench
