// The main function of a step benchmark: options, the backend they name, one JSON line.
#pragma once

#include <cstdio>
#include <filesystem>
#include <string>

#include "options.hpp"
#include <experiments/support/program.hpp>

namespace bench {

/// measure.template operator()<B>(options) -> the record to print. Returns the exit status.
template <class F>
int run_program(int argc, char** argv, std::string const& purpose, F const& measure) {
  Options options;
  CLI::App app{purpose, std::filesystem::path(argv[0]).filename().string()};
  add_options(app, options);
  return experiments::run_program(app, argc, argv, [&] {
    experiments::with_backend(options, [&]<class B>() {
      std::printf("%s\n", measure.template operator()<B>(options).dump().c_str());
    });
  });
}

}  // namespace bench
