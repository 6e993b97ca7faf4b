// Trains one method on one data set and measures its features: a cell of the table in docs/results.md. What
// is there already is not run again.
//
//   scripts/experiments                                    the whole table, and the page
//   cmake --build build/demo --target compare_methods      (scripts/demo makes build/demo)
//   build/demo/experiments/compare_methods --data shapes --method diffsiam --seed 0
//
// ctest: --data shapes --method diffsiam --pictures 300 --pairs 4 --steps 3 --siamese-batch 16
//   --overwrite --denoiser-steps 2 --runs @OUT@ --weights @OUT@ --results @OUT@/results.jsonl

#include <string>

#include <CLI/CLI.hpp>

#include <experiments/data_options.hpp>
#include <experiments/runner.hpp>
#include <experiments/support/options.hpp>
#include <experiments/support/program.hpp>

using namespace experiments;

int main(int argc, char** argv) {
  CellOptions options;
  Recipe recipe;
  bool list = false;
  CLI::App app{"Trains one method on one data set and measures its features.", "compare_methods"};
  app.add_flag("--list", list, "names the methods");
  app.add_option("--data", options.data, "which pictures")
      ->check(CLI::IsMember(names_of(data_sets)))
      ->capture_default_str();
  app.add_option("--method", options.method, "what is trained and measured; denoiser: no more than that")
      ->capture_default_str();
  app.add_option("--results", options.results, "JSON lines that gain the cell's")->capture_default_str();
  app.add_option("--runs", options.runs, "folder of the runs")->capture_default_str();
  app.add_option("--weights", options.weights, "folder of the denoisers")->capture_default_str();
  add_data_folders(app, options.folders);
  app.add_flag("--validation-only", options.validation_only,
               "shows the curve on validation pictures and adds no results: to choose settings by");
  add_threads(app, options.threads);
  add_start_options(app, options.start);
  add_setting_options(app, options);
  add_setting_options(app, recipe, false);  // a data set has defaults of its own
  return run_program(app, argc, argv, [&] {
    options.recipe_settings = given_settings(app, recipe);
    if (!list) return run_cell(options);
    for (std::string const& name : names_of(methods)) say(name);
  });
}
