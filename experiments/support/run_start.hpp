// What the user says of a run that stands in the folder already.
#pragma once

#include <CLI/CLI.hpp>

namespace experiments {

struct RunStart {
  bool resume = false, overwrite = false;
};

inline void add_start_options(CLI::App& app, RunStart& start) {
  auto* const resume = app.add_flag("--resume", start.resume, "goes on with the run in the folder");
  app.add_flag("--overwrite", start.overwrite, "begins anew where a run stands in the folder")
      ->excludes(resume);
}

}  // namespace experiments
