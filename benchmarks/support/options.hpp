// What every step benchmark can be asked for.
#pragma once

#include <cstdint>
#include <string>

#include <CLI/CLI.hpp>

#include <diffsiam/core/shape.hpp>

#include <experiments/support/backends.hpp>
#include <experiments/support/options.hpp>

namespace bench {

using diffsiam::Index;

struct Options : experiments::BackendChoice {
  std::string config = "fashion";
  std::string what = "diffsiam";
  int threads = 2;
  Index batch = 0;  ///< 0: as the configuration has it
  int steps = 0;    ///< measured; 0: about ten seconds of them
  int queued = 1;   ///< calls of one measurement
  int warm_up = 3;  ///< not measured
  int grid = 10;    ///< time-steps of a sampler
  bool profile = false;
  bool ema = false;    ///< of a training step: also an average of the weights
  bool graph = false;  ///< of a training step: recorded once and replayed
};

/// Adds the options to a program's own.
inline void add_options(CLI::App& app, Options& options) {
  app.add_option("--config", options.config, "sizes of the networks")
      ->check(CLI::IsMember({"fashion", "celeba64"}))
      ->capture_default_str();
  experiments::add_backend_options(app, options);
  app.add_option("--what", options.what, "what is trained or sampled from")
      ->check(CLI::IsMember({"denoiser", "diffsiam"}))
      ->capture_default_str();
  experiments::add_threads(app, options.threads);
  experiments::add_whole_number(app, "--batch", options.batch, 0, 4096, "0: 64 for fashion, 8 for celeba64");
  experiments::add_whole_number(app, "--steps", options.steps, 0, 1000000,
                                "measured ones; 0: about ten seconds of them");
  experiments::add_whole_number(app, "--queued", options.queued, 1, 1000000,
                                "calls of one measurement; a GPU is waited for after the last of them");
  experiments::add_whole_number(app, "--grid", options.grid, 1, 999, "time-steps of a sampler");
  app.add_flag("--profile", options.profile, "also print seconds by operation");
  app.add_flag("--ema", options.ema, "of a training step: also an average of the weights");
  app.add_flag("--graph", options.graph, "of a training step: recorded once and replayed (cuda)")
      ->excludes("--profile");
}

}  // namespace bench
